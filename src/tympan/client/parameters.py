"""The parameters of a session, typed. Names are the protocol's; the reference says what each does.

A field that is None is left out, so the server's default holds. Services know names that aren't listed here:
those go into `extra`, or give a plain mapping instead of this class. The table of what this server knows is in
`wire.v3.parameters`; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

from tympan.wire.v3.client import ParameterValue


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
