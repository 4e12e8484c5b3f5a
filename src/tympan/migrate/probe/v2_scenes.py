"""The conversations that are held with a service of the old v2 protocol. Shell; no judgement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tympan.migrate.probe.record import SessionRecord
from tympan.migrate.probe.scenes import Visitor
from tympan.migrate.probe.speech import Speech

_RATE_HZ = 16_000
_SILENCE_MS = 700
"""The protocol's default, so that setting it changes nothing."""


async def main_session(visitor: Visitor, speech: Speech | None) -> SessionRecord:
    """SessionBegins, the whole recording at its own pace, terminate_session, SessionTerminated, close."""
    rate_hz = speech.rate_hz if speech is not None else _RATE_HZ
    async with visitor.visit({"sample_rate": str(rate_hz)}, tag="message_type") as line:
        if not await line.wait(_has_begun, visitor.timeout_s):
            return line.record
        await line.say({"end_utterance_silence_threshold": _SILENCE_MS})
        if speech is not None:
            await line.play(_paired(speech.with_silence()), rate_hz)
        if line.is_open:
            await line.say({"terminate_session": True})
            await line.wait(lambda record: record.first("SessionTerminated") is not None, visitor.timeout_s)
        await line.wait_for_end(min(visitor.timeout_s, 2.0))
        return line.record


async def control_session(visitor: Visitor, speech: Speech) -> SessionRecord:
    """An utterance ended by force_end_utterance."""
    async with visitor.visit({"sample_rate": str(speech.rate_hz)}, tag="message_type") as line:
        if not await line.wait(_has_begun, visitor.timeout_s):
            return line.record
        await line.play(_paired(speech.patiently(visitor.timeout_s)), speech.rate_hz, until=_shows_words)
        if line.is_open and _shows_words(line.record):
            await line.say({"force_end_utterance": True})
            await line.wait(lambda record: record.first("FinalTranscript") is not None, visitor.timeout_s)
        return line.record


async def with_credential(visitor: Visitor, key: str | None) -> SessionRecord:
    """A session with this key, or without any."""
    parameters = {"sample_rate": str(_RATE_HZ)}
    async with visitor.visit(parameters, key=key, is_anonymous=key is None, tag="message_type") as line:
        if await line.wait(_has_heard, visitor.timeout_s) and not _has_begun(line.record):
            await line.wait_for_end(visitor.timeout_s)
        return line.record


async def with_bad_parameter(visitor: Visitor) -> SessionRecord:
    """A session with a sample rate that the protocol doesn't have."""
    async with visitor.visit({"sample_rate": "7000"}, tag="message_type") as line:
        if await line.wait(_has_heard, visitor.timeout_s) and not _has_begun(line.record):
            await line.wait_for_end(visitor.timeout_s)
        return line.record


async def with_text(visitor: Visitor, text: str) -> SessionRecord:
    """A session in which this text message is the first thing said."""
    async with visitor.visit({"sample_rate": str(_RATE_HZ)}, tag="message_type") as line:
        if await line.wait(_has_heard, visitor.timeout_s):
            await line.say(text)
            await line.wait_for_end(visitor.timeout_s)
        return line.record


def _has_heard(record: SessionRecord) -> bool:
    return bool(record.heard)


def _has_begun(record: SessionRecord) -> bool:
    return record.first("SessionBegins") is not None


def _shows_words(record: SessionRecord) -> bool:
    return any(partial.get("text") for _, partial in record.of_type("PartialTranscript"))


def _paired(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """100 ms a message: the old protocol takes no less."""
    waiting = b""
    for chunk in chunks:
        if waiting:
            yield waiting + chunk
            waiting = b""
        else:
            waiting = chunk
    if waiting:
        yield waiting
