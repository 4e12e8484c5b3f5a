"""Whole sessions, each played once for a service and judged by many rules: what is sent, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
import speech
from call import Ended, Message
from endpoint import Endpoint
from talk import MONOLOGUE_MS, PROFANE_MS, SONNY_MS

REST_MS = PROFANE_MS
"""The turns of the talk that read like a conversation; of a recording, all that is left."""
FORCE: Message = {"type": "ForceEndpoint"}
Step = int | Message
"""Audio up to that millisecond, or a message."""


@dataclass(frozen=True)
class Performance:
    """A session to play, which Terminate ends. `needs_script`: it makes sense with our own talk alone."""

    name: str
    query: str
    profile: str = "US"
    steps: tuple[Step, ...] = (REST_MS,)
    sample_rate_hz: int = 16_000
    encoding: str = "pcm_s16le"
    chunk_ms: float = 50
    needs_script: bool = False
    asked_for: frozenset[str] = frozenset()
    """Optional messages that it asks for."""

    @property
    def has_two_finals(self) -> bool:
        return self.profile == "US" and "format_turns=true" in self.query

    @property
    def has_partials(self) -> bool:
        return "include_partial_turns=false" not in self.query

    @property
    def bytes_per_s(self) -> int:
        return self.sample_rate_hz * (1 if self.encoding == "pcm_mulaw" else 2)


US = "speech_model=universal-streaming-english"
U3 = "speech_model=u3-rt-pro"
MULAW = "&sample_rate=8000&encoding=pcm_mulaw"
MIDDLE_MS = 1000
"""In the middle of Sonny's turn."""

PERFORMANCES = (
    Performance("us", US),
    Performance("us formatted", f"{US}&format_turns=true"),
    Performance("us final words", f"{US}&format_turns=true&formatted_source=final_words", needs_script=True),
    Performance("us finals only", f"{US}&format_turns=true&include_partial_turns=false"),
    Performance("us language", f"{US}&language_detection=true", asked_for=frozenset({"language"})),
    Performance("us filtered", f"{US}&format_turns=true&filter_profanity=true", needs_script=True),
    Performance("us mulaw", US + MULAW, sample_rate_hz=8000, encoding="pcm_mulaw"),
    Performance("us 48 kHz", f"{US}&sample_rate=48000", sample_rate_hz=48_000),
    Performance("us odd chunks", f"{US}&sample_rate=16000", chunk_ms=1601 / 32, needs_script=True),
    Performance("us long chunks", f"{US}&sample_rate=16000", chunk_ms=1000),
    Performance("us forced", f"{US}&format_turns=true", steps=(MIDDLE_MS, FORCE, REST_MS)),
    Performance("us forced at the end", f"{US}&format_turns=true", steps=(MIDDLE_MS, FORCE)),
    Performance("us cut", f"{US}&format_turns=true", steps=(MIDDLE_MS,), needs_script=True),
    Performance("us whole talk", f"{US}&format_turns=true", steps=(MONOLOGUE_MS,), needs_script=True),
    Performance("whisper", "speech_model=whisper-rt&format_turns=true", "WHISPER", needs_script=True),
    Performance("u3", U3, "U3"),
    Performance("u3 finals only", f"{U3}&include_partial_turns=false", "U3"),
    Performance("u3 filtered", f"{U3}&filter_profanity=true", "U3", needs_script=True),
    Performance("u3 language", f"{U3}&language_detection=true", "U3", asked_for=frozenset({"language"})),
    Performance("u3 silence", f"{U3}&acknowledge_silence=true", "U3", asked_for=frozenset({"Silence"})),
    Performance("u3 as agents ask for it", f"{U3}&min_turn_silence=100&max_turn_silence=100", "U3"),
    Performance("u3 forced", U3, "U3", steps=(MIDDLE_MS, FORCE, REST_MS)),
    Performance("u3 cut", U3, "U3", steps=(MIDDLE_MS,), needs_script=True),
    Performance("u3 whole talk", f"{U3}&mode=min_latency", "U3", steps=(MONOLOGUE_MS,), needs_script=True),
    Performance("no audio", US, steps=()),
    Performance("no speech", f"{US}&format_turns=true", steps=(60, FORCE), needs_script=True),
    Performance("u3 no speech", U3, "U3", steps=(60, FORCE), needs_script=True),
    Performance("resumable", f"{US}&resumable=true", needs_script=True, asked_for=frozenset({"Checkpoint"})),
    Performance("defaults", "", steps=(SONNY_MS,), needs_script=True),
)


@dataclass(frozen=True)
class Played:
    """What came of a performance."""

    performance: Performance
    ended: Ended
    audio_ms: int
    is_ours: bool

    @property
    def messages(self) -> list[Message]:
        return self.ended.messages

    def of_type(self, name: str) -> list[Message]:
        return [message for message in self.messages if message.get("type") == name]

    def turns(self) -> list[list[Message]]:
        """Turn messages by turn, in the order in which turns first appeared."""
        by_order: dict[object, list[Message]] = {}
        for turn in self.of_type("Turn"):
            by_order.setdefault(turn.get("turn_order"), []).append(turn)
        return [*by_order.values()]


@dataclass
class Player:
    """Plays each performance once for each service. `recording` is what services hear that listen."""

    recording: Path | None
    _outcomes: dict[tuple[str, str], Played | pytest.fail.Exception | pytest.skip.Exception] = field(
        default_factory=dict
    )

    def play(self, service: Endpoint, performance: Performance) -> Played:
        """What came of it; one that broke is broken for every rule, and isn't waited for again."""
        key = service.url, performance.name
        if key not in self._outcomes:
            try:
                self._outcomes[key] = self._perform(service, performance)
            except (pytest.fail.Exception, pytest.skip.Exception) as outcome:
                self._outcomes[key] = outcome
            finally:
                service.hang_up()
        outcome = self._outcomes[key]
        if isinstance(outcome, Played):
            return outcome
        raise outcome

    def speech(self, service: Endpoint, duration_ms: int) -> bytes:
        """The first so many ms of what the service is to hear, 16 kHz PCM16."""
        if service.is_ours:
            return speech.quiet(duration_ms)
        return speech.load(self._recording())[: duration_ms * 32]

    def _perform(self, service: Endpoint, performance: Performance) -> Played:
        audio = self._audio(service, performance)
        call = service.calls(performance.query)
        call.hears_begin()
        bytes_per_ms = performance.bytes_per_s // 1000
        chunk_bytes, sent = round(performance.chunk_ms * bytes_per_ms), 0
        for step in performance.steps:
            if isinstance(step, dict):
                call.sends(step)
                continue
            end = len(audio) if step == REST_MS else step * bytes_per_ms
            call.plays(audio[sent:end], chunk_bytes=chunk_bytes, bytes_per_s=performance.bytes_per_s)
            sent = min(end, len(audio))
        call.sends({"type": "Terminate"})
        return Played(performance, call.hears_end(), sent // bytes_per_ms, service.is_ours)

    def _audio(self, service: Endpoint, performance: Performance) -> bytes:
        if service.is_ours:
            ends = [step for step in performance.steps if isinstance(step, int)]
            return b"\0" * (max(ends, default=0) * performance.bytes_per_s // 1000)
        if performance.needs_script:
            pytest.skip("needs a service that plays what the suite knows")
        if not performance.steps:
            return b""
        pcm = speech.load(self._recording())
        return speech.converted(pcm, sample_rate_hz=performance.sample_rate_hz, encoding=performance.encoding)

    def _recording(self) -> Path:
        if self.recording is None:
            pytest.skip("give --speech: what the service is to hear")
        return self.recording
