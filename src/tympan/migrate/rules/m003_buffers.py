"""TM003: how much audio goes in one message."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.audio import Size, rate_leaves, scaled, sizes
from tympan.migrate.matching.evidence import speaks_v2
from tympan.migrate.matching.names import is_call_of
from tympan.migrate.matching.numbers import number_of
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_WANTED_S = 0.05
_LONGEST_S = 3.0
"""Longer is no buffer of a live stream."""

_OPEN = (
    "stream = audio.open(rate=SAMPLE_RATE, frames_per_buffer=FRAMES_PER_BUFFER, channels=1, input=True)\n"
    "URL = f'wss://api.assemblyai.com/v2/realtime/ws?sample_rate={SAMPLE_RATE}'\n"
)


class Buffers(Rule[PythonDocument]):
    code = "TM003"
    title = "Audio goes in pieces of 50 ms"
    what = (
        "Buffers of more than 50 ms: `frames_per_buffer` of PyAudio, `blocksize` of sounddevice, reads from either, "
        "from wave files and from files, slices of bytes. The size is followed to where it is written, also where "
        "it is computed from the sample rate. The fix makes it 50 ms, with a pause of the same length beside it, and "
        "a comment that names the old length."
    )
    why = "The first words come later by as much as a buffer is long; more than a second ends the session (3007)."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (
        Valid("SAMPLE_RATE = 16000\nFRAMES_PER_BUFFER = 800\n" + _OPEN),
        Valid("stream = audio.open(rate=44100, frames_per_buffer=8820)\n", "nothing in the file speaks of the service"),
    )
    invalid = (
        Invalid(
            "FRAMES_PER_BUFFER = 3200  # 200ms of audio\nSAMPLE_RATE = 16000\n" + _OPEN,
            "FRAMES_PER_BUFFER = 800  # 50ms of audio\nSAMPLE_RATE = 16000\n" + _OPEN,
        ),
        Invalid(
            "SAMPLE_RATE = 16_000\nFRAMES_PER_BUFFER = int(SAMPLE_RATE * 0.2)\n" + _OPEN,
            "SAMPLE_RATE = 16_000\nFRAMES_PER_BUFFER = int(SAMPLE_RATE * 0.05)\n" + _OPEN,
            about="computed",
        ),
        Invalid(
            "SAMPLE_RATE = 44100\nCHUNK_MS = 100\nFRAMES_PER_BUFFER = SAMPLE_RATE * CHUNK_MS // 1000\n" + _OPEN,
            "SAMPLE_RATE = 44100\nCHUNK_MS = 50\nFRAMES_PER_BUFFER = SAMPLE_RATE * CHUNK_MS // 1000\n" + _OPEN,
            about="from a constant in milliseconds",
        ),
        Invalid(
            "import time\nRATE = 8000\nURL = 'wss://api.assemblyai.com/v2/realtime/ws?sample_rate=8000'\n"
            "with open('call.raw', 'rb') as recording:\n"
            "    while chunk := recording.read(RATE // 5 * 2):\n"
            "        ws.send(chunk, websocket.ABNF.OPCODE_BINARY)\n"
            "        time.sleep(0.2)\n",
            "import time\nRATE = 8000\nURL = 'wss://api.assemblyai.com/v2/realtime/ws?sample_rate=8000'\n"
            "with open('call.raw', 'rb') as recording:\n"
            "    while chunk := recording.read(RATE // 20 * 2):\n"
            "        ws.send(chunk, websocket.ABNF.OPCODE_BINARY)\n"
            "        time.sleep(0.05)\n",
            about="read from a file, at its own pace",
        ),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        if not speaks_v2(document):
            return
        for size in sizes(document):
            value = number_of(document, size.node)
            length_s = value / size.per_second if value else 0.0
            if _WANTED_S * 1.02 < length_s <= _LONGEST_S:
                yield self._finding(document, size, length_s)

    def _finding(self, code: PythonDocument, size: Size, length_s: float) -> Finding:
        message = f"audio goes in pieces of {_ms(length_s)} ms; v3 likes 50 ms"
        found = scaled(code, size.node, size.per_second * _WANTED_S, rate_leaves(code))
        if found is None:
            advice = "Make it 50 ms; how it is computed can't be followed to one number."
            return self.by_hand(code.span(size.node), message, advice)
        leaf, text = found
        edits = [code.replace(leaf, text), *_comment(code, leaf, length_s), *_pauses(code, size, leaf, length_s)]
        return self.fixable(code.span(leaf), message, "Make it 50 ms; 50 to 1000 ms are allowed.", edits)


def _comment(code: PythonDocument, leaf: cst.CSTNode, length_s: float) -> list[Edit]:
    """The old length in the comment of its line."""
    number = code.place(code.span(leaf).start).line
    line, start = code.line_of(number), code.line_starts[number - 1]
    hash_at = line.find("#", code.span(leaf).end - start)
    old = re.compile(rf"\b{_ms(length_s)}(?=\s?ms\b)")
    found = old.search(line, hash_at) if hash_at >= 0 else None
    return [Edit(Span(start + found.start(), start + found.end()), "50")] if found else []


def _pauses(code: PythonDocument, size: Size, leaf: cst.CSTNode, length_s: float) -> list[Edit]:
    """Pauses of the same length, in the same function: they make the pace of a file that of speech."""
    edits = []
    for call in code.nodes(cst.Call):
        is_here = code.function(call) is code.function(size.node) and len(call.args) == 1
        if not is_here or not (is_call_of(code, call, "time.sleep", "asyncio.sleep") or _is_wait(call)):
            continue
        pause_s = number_of(code, call.args[0].value)
        if pause_s is None or abs(pause_s - length_s) > 1e-6:
            continue
        found = scaled(code, call.args[0].value, _WANTED_S, rate_leaves(code))
        if found is not None and found[0] is not leaf and not isinstance(found[0], cst.Integer):
            edits.append(code.replace(found[0], found[1]))
    return edits


def _is_wait(call: cst.Call) -> bool:
    """`event.wait(0.2)`: a pause that can be cut short."""
    return isinstance(call.func, cst.Attribute) and call.func.attr.value == "wait"


def _ms(length_s: float) -> str:
    return f"{length_s * 1000:g}"
