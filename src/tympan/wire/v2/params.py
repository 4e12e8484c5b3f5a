"""Query string of a v2 connection → configuration, and the table of its parameters. PURE.

v2 ends an utterance on silence alone, formats every final, and names no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tympan.core.audio import AudioFormat, Encoding
from tympan.core.config import SessionConfig, SessionLimits, TurnConfig
from tympan.core.errors import BadParameter, NotJson
from tympan.wire.codec import parse_json
from tympan.wire.kinds import SAMPLE_RATE_HZ, Choice, Flag, Kind, Text
from tympan.wire.parameter import Parameter, State
from tympan.wire.query import Given
from tympan.wire.v2.client_messages import DEFAULT_SILENCE_MS, turn_silences

MAX_WORD_BOOST_CHARS = 2_500
STRICT_CHUNK_MS = (100, 2_000)
"""Shortest and longest audio in one message (protocol reference, section 8.2)."""


@dataclass(frozen=True, slots=True)
class BoostedWords(Kind[tuple[str, ...]]):
    """A JSON array of strings with a limit to all of them together."""

    @property
    def description(self) -> str:
        return f"JSON array of str, at most {MAX_WORD_BOOST_CHARS:,} characters in all"

    def parse(self, name: str, texts: Sequence[str]) -> tuple[str, ...]:
        try:
            value = parse_json(texts[-1])
        except NotJson:
            value = None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise BadParameter(name, "expected a JSON array of strings")
        return tuple(value)

    def check(self, name: str, value: tuple[str, ...], *, is_strict: bool) -> tuple[str, ...]:
        if sum(map(len, value)) > MAX_WORD_BOOST_CHARS:
            raise BadParameter(name, f"more than {MAX_WORD_BOOST_CHARS} characters in all")
        return value


TOKEN = Parameter("token", Text(), State.SAME, "temporary token, or an API key")
SAMPLE_RATE = Parameter(
    "sample_rate",
    SAMPLE_RATE_HZ,
    State.SAME,
    "sample rate of the audio; required",
)
ENCODING = Parameter(
    "encoding", Choice(tuple(Encoding), "Encoding"), State.SAME, "what the audio bytes are", "pcm_s16le"
)
WORD_BOOST = Parameter(
    "word_boost", BoostedWords(), State.WITHOUT_EFFECT, "words to listen for: checked, but the engine can't yet"
)
DISABLE_PARTIALS = Parameter(
    "disable_partial_transcripts", Flag(), State.SAME, "true: no `PartialTranscript` is sent", "false"
)
EXTRA_INFORMATION = Parameter(
    "enable_extra_session_information", Flag(), State.SAME, "true: `SessionInformation` is sent at the end", "false"
)
PARAMETERS: tuple[Parameter[Any], ...] = (
    TOKEN,
    SAMPLE_RATE,
    ENCODING,
    WORD_BOOST,
    DISABLE_PARTIALS,
    EXTRA_INFORMATION,
)


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """What the connection needs to know and the session doesn't.

    `without_effect` names parameters that were given and do nothing here.
    """

    token: str | None = field(default=None, repr=False)
    word_boost: tuple[str, ...] = ()
    wants_information: bool = False
    without_effect: tuple[str, ...] = ()


def parse_query(query: str, *, defaults: SessionConfig, strict: bool) -> tuple[SessionConfig, ConnectionOptions]:
    """What a client asks for in the query string of its connection. `defaults` are the server's.

    Raises:
        BadParameter: a value that can't be used, or no sample rate; the connection ends before it begins.
    """
    given = Given(query, is_strict=strict)
    without_effect = given.check_all(PARAMETERS)
    sample_rate_hz = given.value(SAMPLE_RATE)
    if sample_rate_hz is None:
        raise BadParameter("sample_rate", "is missing")
    options = ConnectionOptions(
        token=given.value(TOKEN),
        word_boost=given.value(WORD_BOOST) or (),
        wants_information=given.value(EXTRA_INFORMATION) or False,
        without_effect=without_effect,
    )
    config = SessionConfig(
        audio=AudioFormat(Encoding(given.value(ENCODING) or Encoding.PCM_S16LE), sample_rate_hz),
        turn=turn_config(defaults.turn, DEFAULT_SILENCE_MS),
        output=replace(
            defaults.output,
            format_turns=True,
            include_partial_turns=not given.value(DISABLE_PARTIALS),
        ),
        limits=_limits(defaults.limits, strict=strict),
    )
    return config, options


def _limits(defaults: SessionLimits, *, strict: bool) -> SessionLimits:
    if not strict:
        return replace(defaults, is_strict=False)
    low_ms, high_ms = STRICT_CHUNK_MS
    return replace(defaults, is_strict=True, min_chunk_ms=low_ms, max_chunk_ms=high_ms)


def query_token(query: str) -> str | None:
    """The credential alone, whatever else the query holds: who asks is judged before what is asked.

    Raises:
        BadParameter: the query has too many fields.
    """
    return Given(query, is_strict=False).value(TOKEN)


def turn_config(defaults: TurnConfig, silence_ms: int) -> TurnConfig:
    """Turns that end on silence alone."""
    min_silence_ms, max_silence_ms = turn_silences(silence_ms, defaults.min_silence_ms)
    return replace(defaults, confidence_threshold=1.0, min_silence_ms=min_silence_ms, max_silence_ms=max_silence_ms)
