"""What a v2 client asks for in its query → what the bridge asks a v3 service for. PURE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tympan.core.audio import AudioFormat
from tympan.core.config import SessionConfig, TurnConfig
from tympan.wire.v2.params import parse_query
from tympan.wire.v3.client import ParameterValue
from tympan.wire.v3.models import DEFAULT_MODEL
from tympan.wire.v3.parameters.features import MAX_KEYTERMS

MAX_TERM_CHARS = 50
"""Longer key terms are ignored by v3 (protocol reference, section 2.1)."""

USUAL_MIN_SILENCE_MS = TurnConfig().min_silence_ms

PARAMETER_ROWS = (
    ("`token`, `Authorization`", "not passed on", "the bridge has keys of its own; upstream it shows `--upstream-key`"),
    ("`sample_rate`, `encoding`", "`sample_rate`, `encoding`", "the same"),
    (
        "`word_boost`",
        "`keyterms_prompt`",
        f"the first {MAX_KEYTERMS} of at most {MAX_TERM_CHARS} characters; the log tells how many were left out",
    ),
    ("`disable_partial_transcripts`", "`include_partial_turns`", "the opposite"),
    ("`enable_extra_session_information`", "", "the bridge counts the audio itself"),
    ("", "`speech_model`", f"always `{DEFAULT_MODEL}`: word by word"),
    ("", "`format_turns`", "always `true`"),
    ("", "`end_of_turn_confidence_threshold`", "always 1: v2 ends an utterance on silence alone"),
    (
        "`end_utterance_silence_threshold`",
        "`max_turn_silence`, `min_turn_silence`",
        "700 ms at the start; 0 counts as 1",
    ),
)
"""v2, v3, and how: the bridge's reference."""


@dataclass(frozen=True, slots=True)
class BridgeRequest:
    """One client's wish: the audio it sends, and the parameters of the session upstream.

    `left_out_terms` counts boosted words that v3 doesn't take.
    """

    audio: AudioFormat
    parameters: Mapping[str, ParameterValue]
    wants_information: bool
    left_out_terms: int = 0


def bridge_request(query: str) -> BridgeRequest:
    """What a client asks for in the query string of its connection.

    Raises:
        BadParameter: a value that can't be used; the connection ends before it begins.
    """
    config, options = parse_query(query, defaults=SessionConfig(), strict=False)
    assert isinstance(config.audio, AudioFormat)  # v2 has no compressed audio
    fitting = [term for term in options.word_boost if 0 < len(term) <= MAX_TERM_CHARS]
    terms = tuple(fitting[:MAX_KEYTERMS])
    parameters: dict[str, ParameterValue] = {
        "sample_rate": config.audio.sample_rate_hz,
        "encoding": str(config.audio.encoding),
        "speech_model": DEFAULT_MODEL,
        "format_turns": True,
        "end_of_turn_confidence_threshold": config.turn.confidence_threshold,
        "min_turn_silence": config.turn.min_silence_ms,
        "max_turn_silence": config.turn.max_silence_ms,
        "keyterms_prompt": terms or None,
        "include_partial_turns": None if config.output.include_partial_turns else False,
    }
    given = {name: value for name, value in parameters.items() if value is not None}
    return BridgeRequest(config.audio, given, options.wants_information, len(options.word_boost) - len(terms))
