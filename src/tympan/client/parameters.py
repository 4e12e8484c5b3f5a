"""The parameters of a session, typed. Names are the protocol's; the reference says what each does.

A field that is None is left out, so the server's default holds. Services know names that aren't listed here:
those go into `extra`, or give a plain mapping instead of this class. The table of what this server knows is in
`wire.v3.parameters`; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

from tympan.core.audio import AudioFormat, Encoding
from tympan.wire.v3.client import ParameterValue

_DEFAULT_RATE_HZ = 16_000
_DEFAULT_SILENCE_MS = 1280
_TOLD_ONCE = ("whisper-rt", "u3-", "universal-3-", "_universal-3-")
"""Models, by the beginning of their names, whose turns have no second, formatted final."""


@dataclass(frozen=True, slots=True)
class SessionParameters:
    """Connection parameters.

    `sample_rate` and `encoding` say what the audio is. Credentials are not parameters: give `api_key` or `token`
    to `connect`.
    """

    sample_rate: int = 16_000
    encoding: str = "pcm_s16le"
    speech_model: str | None = None
    format_turns: bool | None = None
    include_partial_turns: bool | None = None
    end_of_turn_confidence_threshold: float | None = None
    min_turn_silence: int | None = None
    max_turn_silence: int | None = None
    vad_threshold: float | None = None
    voice_focus: str | None = None
    voice_focus_threshold: float | None = None
    keyterms_prompt: tuple[str, ...] | None = None
    prompt: str | None = None
    agent_context: str | None = None
    language_detection: bool | None = None
    language_codes: tuple[str, ...] | None = None
    speaker_labels: bool | None = None
    max_speakers: int | None = None
    filter_profanity: bool | None = None
    redact_pii: bool | None = None
    redact_pii_policies: tuple[str, ...] | None = None
    redact_pii_sub: str | None = None
    mode: str | None = None
    continuous_partials: bool | None = None
    interruption_delay: int | None = None
    inactivity_timeout: int | None = None
    formatted_source: str | None = None
    extra: Mapping[str, ParameterValue] = field(default_factory=lambda: MappingProxyType({}))


def parameter_values(parameters: SessionParameters | Mapping[str, ParameterValue] | None) -> dict[str, ParameterValue]:
    """What goes into the query string, by its name there."""
    if parameters is None:
        return {}
    if not isinstance(parameters, SessionParameters):
        return {name: value for name, value in parameters.items() if value is not None}
    named = ((item.name, getattr(parameters, item.name)) for item in fields(parameters) if item.name != "extra")
    return {name: value for name, value in named if value is not None} | dict(parameters.extra)


def audio_format(values: Mapping[str, ParameterValue]) -> AudioFormat | None:
    """What the audio bytes are; None for compressed audio, and for what only a server can judge."""
    try:
        encoding = Encoding(str(values.get("encoding", Encoding.PCM_S16LE)))
    except ValueError:
        return None
    rate_hz = _whole(values.get("sample_rate"), _DEFAULT_RATE_HZ)
    return AudioFormat(encoding, rate_hz) if rate_hz > 0 else None


def is_told_twice(values: Mapping[str, ParameterValue]) -> bool:
    """Each turn is told raw, then formatted."""
    return _is_true(values.get("format_turns")) and not str(values.get("speech_model", "")).startswith(_TOLD_ONCE)


def has_partials(values: Mapping[str, ParameterValue]) -> bool:
    """The server tells words before their turn has ended."""
    default = not _is_true(values.get("redact_pii"))
    return _is_true(values.get("include_partial_turns", default))


def longest_silence_ms(values: Mapping[str, ParameterValue]) -> int:
    """The silence that always ends a turn."""
    return _whole(values.get("max_turn_silence"), _DEFAULT_SILENCE_MS)


def _is_true(value: ParameterValue) -> bool:
    return str(value).lower() in ("true", "1", "yes")


def _whole(value: ParameterValue, default: int) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else default
