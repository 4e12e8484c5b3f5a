"""The conversations that are held with a v3 service, each as short as it can be honest. Shell; no judgement."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from tympan.migrate.probe.address import Address
from tympan.migrate.probe.line import Line, open_line
from tympan.migrate.probe.record import SessionRecord
from tympan.migrate.probe.speech import Speech

WRONG_KEY = "tympan-probe-no-such-key"

_FORCED_TURNS = 3
_LISTEN_ON_S = 0.5
"""After a final, a second one of the same turn may follow."""

_MODERATE_MS, _HUGE_MS = 1_200, 60_000
"""What the hosted service refuses, and what nobody should take (protocol reference, section 3)."""

_RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who talks to which service, and how long it waits for an answer."""

    address: Address
    api_key: str | None
    tls: ssl.SSLContext
    timeout_s: float
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_credential(self) -> bool:
        return self.api_key is not None or self.address.has_credential

    def visit(
        self, parameters: Mapping[str, str], *, key: str | None = None, is_anonymous: bool = False, tag: str = "type"
    ) -> AbstractAsyncContextManager[Line]:
        """Connect with the user's own credential, with this key, or with none."""
        shown = key if key is not None else None if is_anonymous else self.api_key
        url = self.address.websocket({**self.parameters, **parameters}, is_anonymous=is_anonymous or key is not None)
        headers = {} if shown is None else {"Authorization": shown}
        return open_line(url, headers, self.tls if self.address.is_tls else None, self.timeout_s, tag=tag)


async def main_session(visitor: Visitor, speech: Speech | None) -> SessionRecord:
    """Begin, the whole recording at its own pace, Terminate, Termination, close."""
    rate_hz = speech.rate_hz if speech is not None else _RATE_HZ
    async with visitor.visit({"sample_rate": str(rate_hz), "format_turns": "true"}) as line:
        if not await line.wait(_has_heard, visitor.timeout_s) or line.record.first("Begin") is None:
            await line.wait_for_end(_LISTEN_ON_S)
            return line.record
        if speech is not None:
            await line.play(speech.with_silence(), rate_hz)
        if line.is_open:
            await line.say({"type": "Terminate"})
            await line.wait(lambda record: record.first("Termination") is not None, visitor.timeout_s)
        await line.wait_for_end(min(visitor.timeout_s, 2.0))
        return line.record


async def control_session(visitor: Visitor, speech: Speech) -> SessionRecord:
    """Unformatted turns ended by ForceEndpoint, format_turns switched on, and at last an update that can't be."""
    chunks = speech.patiently(visitor.timeout_s)
    async with visitor.visit({"sample_rate": str(speech.rate_hz), "format_turns": "false"}) as line:
        if not await line.wait(lambda record: record.first("Begin") is not None, visitor.timeout_s):
            return line.record
        for number in range(_FORCED_TURNS):
            if number == 1:
                await line.say({"type": "KeepAlive"})
                await line.say({"type": "UpdateConfiguration", "format_turns": True})
            ended = _count_of_ends(line.record)
            await line.play(chunks, speech.rate_hz, until=_shows_words_after(ended))
            if not line.is_open or not _shows_words_after(ended)(line.record):
                break
            await line.say({"type": "ForceEndpoint"})
            await line.wait(_has_more_ends_than(ended), visitor.timeout_s)
            await line.wait(lambda record: False, _LISTEN_ON_S)
        await line.say({"type": "UpdateConfiguration", "max_turn_silence": "loud"})
        await line.wait_for_end(visitor.timeout_s)
        return line.record


async def without_key(visitor: Visitor) -> SessionRecord:
    """A session without any credential."""
    async with visitor.visit({}, is_anonymous=True) as line:
        return await _answer_to_opening(line, visitor)


async def with_wrong_key(visitor: Visitor) -> SessionRecord:
    """A session with a key that nobody has."""
    async with visitor.visit({}, key=WRONG_KEY) as line:
        return await _answer_to_opening(line, visitor)


async def with_bad_parameter(visitor: Visitor) -> SessionRecord:
    """A session with a sample rate that the protocol doesn't have."""
    async with visitor.visit({"sample_rate": "7000"}) as line:
        return await _answer_to_opening(line, visitor)


async def with_text(visitor: Visitor, text: str) -> SessionRecord:
    """A session in which this text message is the first thing said."""
    async with visitor.visit({"sample_rate": str(_RATE_HZ)}) as line:
        if await line.wait(_has_heard, visitor.timeout_s):
            await line.say(text)
            await line.wait_for_end(visitor.timeout_s)
        return line.record


async def with_oversized_chunk(visitor: Visitor) -> tuple[SessionRecord, SessionRecord | None]:
    """A chunk that the hosted service refuses, and one that is much too long when that is taken."""
    moderate = await _with_silence(visitor, _MODERATE_MS, min(visitor.timeout_s, 1.0))
    if moderate.closing is not None or moderate.first("Begin") is None:
        return moderate, None
    return moderate, await _with_silence(visitor, _HUGE_MS, visitor.timeout_s)


async def _with_silence(visitor: Visitor, duration_ms: int, timeout_s: float) -> SessionRecord:
    async with visitor.visit({"sample_rate": str(_RATE_HZ)}) as line:
        if await line.wait(_has_heard, visitor.timeout_s):
            await line.send_audio(b"\0\0" * (_RATE_HZ * duration_ms // 1000), _RATE_HZ)
            await line.wait_for_end(timeout_s)
        return line.record


async def _answer_to_opening(line: Line, visitor: Visitor) -> SessionRecord:
    if await line.wait(_has_heard, visitor.timeout_s) and line.record.first("Begin") is None:
        await line.wait_for_end(visitor.timeout_s)
    return line.record


def _has_heard(record: SessionRecord) -> bool:
    return bool(record.heard)


def _count_of_ends(record: SessionRecord) -> int:
    return len({turn.get("turn_order") for _, turn in record.of_type("Turn") if turn.get("end_of_turn")})


def _has_more_ends_than(count: int) -> Callable[[SessionRecord], bool]:
    return lambda record: _count_of_ends(record) > count


def _shows_words_after(count: int) -> Callable[[SessionRecord], bool]:
    """Whether a turn is open that shows words, after so many have ended."""

    def shows(record: SessionRecord) -> bool:
        last = next((heard.document for heard in reversed(record.heard) if record.type_of(heard) == "Turn"), None)
        if last is None or last.get("end_of_turn") or not last.get("words"):
            return False
        return _count_of_ends(record) >= count

    return shows
