"""TM015: what is released when a session ends."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.audio import is_audio_system, is_device
from tympan.migrate.matching.evidence import speaks_v2
from tympan.migrate.matching.lifecycle import app, callback, defined
from tympan.migrate.matching.names import is_call_of, is_module_level, uses, variable_key
from tympan.migrate.matching.sockets import Opening
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_RELEASES = frozenset({"stop_stream", "close", "terminate"})
_URL = "'wss://api.assemblyai.com/v2/realtime/ws?sample_rate=16000'"
_TAIL = (
    "\n\naudio = pyaudio.PyAudio()\nstream = audio.open(rate=16000, channels=1, input=True)\n"
    f"ws = websocket.WebSocketApp({_URL}, on_open=on_open, on_close=on_close)\n"
)
_HEAD = "import pyaudio\nimport websocket\nfrom threading import Thread\n\n\n"


class CleanUp(Rule[PythonDocument]):
    code = "TM015"
    title = "Audio is released once, whatever ends the session"
    what = (
        "An `on_close` that stops and closes the audio device as if it were always open, or a program that never "
        "does. The fix waits for the audio thread, then releases what is there, once: a connection that is closed "
        "twice, or before the device runs, is no error. Where nothing is released at all, this is left to you."
    )
    why = "Releasing twice, or while the audio thread reads, raises in the middle of the clean-up, or crashes."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (
        Valid(
            _HEAD
            + "def on_open(ws):\n    pass\n\n\ndef on_close(ws, status, msg):\n    print(msg)\n"
            + _TAIL
            + "try:\n    ws.run_forever()\nfinally:\n    stream.close()\n    audio.terminate()\n",
            "released elsewhere",
        ),
    )
    invalid = (
        Invalid(
            _HEAD + "def on_open(ws):\n    audio_thread = Thread(target=stream_audio, daemon=True)\n"
            "    audio_thread.start()\n\n\n"
            "def on_close(ws, status, msg):\n    stream.stop_stream()\n    stream.close()\n    audio.terminate()\n"
            "    print('gone')\n" + _TAIL,
            "import pyaudio\nimport websocket\nfrom threading import Thread\n\n"
            "audio_thread = None  # started when the connection is open\n\n\n"
            "def on_open(ws):\n    global audio_thread\n"
            "    audio_thread = Thread(target=stream_audio, daemon=True)\n    audio_thread.start()\n\n\n"
            "def on_close(ws, status, msg):\n"
            "    global stream, audio\n"
            "    if audio_thread and audio_thread.is_alive():\n        audio_thread.join(timeout=1.0)\n"
            "    if stream:\n        if stream.is_active():\n            stream.stop_stream()\n"
            "        stream.close()\n        stream = None\n"
            "    if audio:\n        audio.terminate()\n        audio = None\n"
            "    print('gone')\n" + _TAIL,
        ),
        Invalid(
            _HEAD + "def on_open(ws):\n    pass\n\n\ndef on_close(ws, status, msg):\n    print(msg)\n" + _TAIL,
            None,
            about="never released",
        ),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        opening = app(document) if speaks_v2(document) else None
        if opening is None:
            return
        on_close = callback(document, opening, "on_close")
        group = _releases(document, on_close) if on_close is not None else []
        if group and on_close is not None and _is_only_place(document, group, on_close):
            span = Span(document.span(group[0]).start, document.span(group[-1]).end)
            edits = _edits(document, opening, on_close, group)
            if edits is not None:
                message = "the audio device is released as if it were always open"
                yield self.fixable(span, message, "Release what is there, once, after the audio thread.", edits)
        elif not group and not _is_released(document):
            for call in document.nodes(cst.Call):
                if is_call_of(document, call, "pyaudio.PyAudio"):
                    advice = "In on_close stop and close the stream and terminate it; where they are kept isn't seen."
                    yield self.by_hand(document.span(call), "the audio device is never released", advice)


def _released(code: PythonDocument, statement: cst.BaseStatement) -> cst.Name | None:
    """The variable of the module whose device or audio system a statement releases."""
    match statement:
        case cst.SimpleStatementLine(
            body=[cst.Expr(value=cst.Call(func=cst.Attribute(value=cst.Name() as name, attr=method), args=[]))]
        ) if method.value in _RELEASES:
            is_ours = is_device(code, name) or is_audio_system(code, name)
            return name if is_ours and is_module_level(code, name) else None
    return None


def _releases(code: PythonDocument, function: cst.FunctionDef) -> list[cst.SimpleStatementLine]:
    """Statements of a function's body that release something, one after the other."""
    group: list[cst.SimpleStatementLine] = []
    for statement in function.body.body:
        if isinstance(statement, cst.SimpleStatementLine) and _released(code, statement) is not None:
            group.append(statement)
        elif group:
            break
    return group


def _names(code: PythonDocument, group: list[cst.SimpleStatementLine]) -> list[cst.Name]:
    """What is released, each once, in order."""
    found: dict[str, cst.Name] = {}
    for statement in group:
        name = _released(code, statement)
        if name is not None:
            found.setdefault(name.value, name)
    return list(found.values())


def _is_only_place(code: PythonDocument, group: list[cst.SimpleStatementLine], function: cst.FunctionDef) -> bool:
    """Whether nothing else releases these, and the function doesn't use them before."""
    start = code.span(group[0]).start
    for name in _names(code, group):
        for use in uses(code, name):
            is_here = code.function(use) is function
            method = code.parent(use)
            is_release = isinstance(method, cst.Attribute) and method.attr.value in _RELEASES
            if (is_here and code.span(use).start < start) or (is_release and not is_here):
                return False
    return True


def _is_released(code: PythonDocument) -> bool:
    return any(
        attribute.attr.value in ("terminate", "close", "stop_stream")
        and (is_device(code, attribute.value) or is_audio_system(code, attribute.value))
        for attribute in code.nodes(cst.Attribute)
    )


def _edits(
    code: PythonDocument, opening: Opening, function: cst.FunctionDef, group: list[cst.SimpleStatementLine]
) -> list[Edit] | None:
    names = _names(code, group)
    if not all(code.is_on_own_lines(statement) for statement in group):
        return None
    edits, lines = _joined(code, opening)
    unit = code.indent_unit
    lines = [f"global {', '.join(name.value for name in names)}", *lines]
    for name in names:
        methods = [
            _method(statement) for statement in group if (n := _released(code, statement)) and n.value == name.value
        ]
        lines.append(f"if {name.value}:")
        for method in methods:
            if method == "stop_stream":
                lines += [f"{unit}if {name.value}.is_active():", f"{unit}{unit}{name.value}.stop_stream()"]
            else:
                lines.append(f"{unit}{name.value}.{method}()")
        lines.append(f"{unit}{name.value} = None")
    text = (code.newline + code.indent(group[0])).join(lines)
    span = Span(code.span(group[0]).start, code.span(group[-1]).end)
    return [*edits, Edit(span, text)]


def _method(statement: cst.SimpleStatementLine) -> str:
    line = statement.body[0]
    assert isinstance(line, cst.Expr)
    assert isinstance(line.value, cst.Call)
    assert isinstance(line.value.func, cst.Attribute)
    return line.value.func.attr.value


def _joined(code: PythonDocument, opening: Opening) -> tuple[list[Edit], list[str]]:
    """The audio thread made a variable of the module, and the lines that wait for it; none if it isn't seen."""
    on_open = callback(code, opening, "on_open")
    for statement in on_open.body.body if on_open is not None else ():
        match statement:
            case cst.SimpleStatementLine(
                body=[cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as name)], value=cst.Call() as made)]
            ) if is_call_of(code, made, "threading.Thread"):
                lines = [
                    f"if {name.value} and {name.value}.is_alive():",
                    f"{code.indent_unit}{name.value}.join(timeout=1.0)",
                ]
                if is_module_level(code, name):
                    return [], lines
                others = [n for n in code.nodes(cst.Name) if n.value == name.value]
                is_free = all(variable_key(code, other) == variable_key(code, name) for other in others)
                variable = defined(code, f"{name.value} = None  # started when the connection is open")
                if variable is None or not is_free:
                    return [], []
                made_global = code.insert_before(statement, f"global {name.value}")
                return [variable, made_global], lines
    return [], []
