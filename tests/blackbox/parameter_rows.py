"""Every connection parameter with good and bad values: one line a rule (protocol reference, sections 2.1 to 2.3).

A value is

- `taken`: the session begins;
- `clamped`: outside the documented range: a lenient service takes it as the nearest end, a strict one refuses it;
- `refused`: can't be understood, or breaks a limit that is always enforced: Error 3006 before `Begin`;
- `unserved`: the protocol knows it, and our own server refuses it as not available. Elsewhere it may begin.

`beside` is what has to stand beside the value, and `aliases` are older names with the same meaning.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

U3 = "speech_model=u3-rt-pro"

US_MODELS = ("universal-streaming-english", "universal-streaming-multilingual")
U3_MODELS = (
    "u3-rt-pro",
    "u3-rt-pro-beta-1",
    "u3-rt-agent",
    "universal-3-5-pro",
    "universal-3-6",
    "universal-3-6-pro",
    "universal-3-7-preview",
    "_universal-3-5-notetaker",
)

BOOLEANS = ("true", "false", "True", "False", "1", "0", "yes", "no")
NOT_BOOLEAN = ("", "2", "maybe", "null")
NOT_INTEGER = ("", "abc", "1.5", "1e3", "true", "0x10", "9" * 400)
NOT_NUMBER = ("", "abc", "nan", "inf", "-inf", "true")


@dataclass(frozen=True)
class Row:
    """One parameter."""

    name: str
    taken: tuple[str, ...] = ()
    clamped: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    unserved: tuple[str, ...] = ()
    beside: str = ""
    aliases: tuple[str, ...] = ()


def boolean(name: str, *, beside: str = "", aliases: tuple[str, ...] = ()) -> Row:
    """A parameter that is true or false."""
    return Row(name, taken=BOOLEANS, refused=NOT_BOOLEAN, beside=beside, aliases=aliases)


def integer(name: str, low: int, high: int, *, beside: str = "", aliases: tuple[str, ...] = ()) -> Row:
    """A whole number within a range."""
    return Row(
        name,
        taken=(str(low), str(high)),
        clamped=(str(low - 1), str(high + 1)),
        refused=NOT_INTEGER,
        beside=beside,
        aliases=aliases,
    )


def share(name: str, *, beside: str = "", aliases: tuple[str, ...] = ()) -> Row:
    """A number from 0 to 1."""
    taken, clamped = ("0", "1", "0.5", "5e-1"), ("-0.01", "1.01")
    return Row(name, taken=taken, clamped=clamped, refused=NOT_NUMBER, beside=beside, aliases=aliases)


def _list(*items: object) -> str:
    return json.dumps(items)


PARAMETER_ROWS = (
    Row(
        "sample_rate",
        taken=("8000", "16000", "44100", "48000", "96000"),
        refused=("7999", "96001", "0", "-16000", *NOT_INTEGER),
    ),
    Row(
        "encoding",
        taken=("pcm_s16le", "pcm_mulaw", "opus", "ogg_opus", "aac"),
        refused=("flac", "PCM_S16LE", "pcm", ""),
    ),
    Row("speech_model", taken=(*US_MODELS, "whisper-rt", *U3_MODELS), clamped=("nova-2", "u3-of-tomorrow", "u3-pro")),
    boolean("format_turns"),
    share("end_of_turn_confidence_threshold"),
    Row(
        "min_turn_silence",
        taken=("0", "10000", "-1", "10001"),  # clamped by strict services too
        refused=NOT_INTEGER,
        aliases=("min_end_of_turn_silence_when_confident",),
    ),
    integer("max_turn_silence", 1, 3_600_000),
    share("vad_threshold"),
    boolean("include_partial_turns"),
    integer("inactivity_timeout", 5, 3_600),
    boolean("filter_profanity"),
    Row("mode", taken=("min_latency", "balanced", "max_accuracy"), refused=("fast", "BALANCED", ""), beside=U3),
    integer("interruption_delay", 0, 1_000, beside=U3),
    boolean("continuous_partials", beside=U3),
    integer("turn_left_pad_ms", 0, 2_000),
    boolean("language_detection"),
    boolean("session_heartbeat"),
    boolean("acknowledge_silence", beside=U3),
    Row(
        "keyterms_prompt",
        taken=("", "[]", _list("Sonny"), _list(*["term"] * 100), _list("x" * 51)),
        refused=(_list(*["term"] * 101), '["Sonny"', "[1]", '[["Sonny"]]', "[null]"),
        aliases=("keyterms",),
    ),
    Row("prompt", taken=("", "x" * 1750, "é" * 1750, "語" * 1750, "😀" * 1750), refused=("x" * 1751,), beside=U3),
    Row(
        "agent_context", taken=("", "x" * 1750, "é" * 1750, "語" * 1750, "😀" * 1750), refused=("x" * 1751,), beside=U3
    ),
    integer("previous_context_n_turns", 0, 100, beside=U3),
    Row(
        "language_codes",
        taken=("[]", _list("en"), _list("multi"), _list("en", "de")),
        refused=(_list("xx"), _list("EN"), _list("en", "multi"), _list(*["en"] * 11), '["en"', "[1]"),
        unserved=(_list("de"), _list("fr", "es")),
        beside=U3,
    ),
    Row("language_code", taken=("en", "multi"), refused=("xx",), unserved=("de",), beside=U3),
    Row("language", taken=("en", "multi"), refused=("de", "")),
    Row("redact_pii", taken=("false",), refused=NOT_BOOLEAN, unserved=("true",)),
    Row("redact_pii_policies", taken=("[]", _list("person_name", "date")), refused=('["person_name"', "[1]")),
    Row("redact_pii_sub", taken=("hash", "entity_name"), refused=("stars", "")),
    Row("speaker_labels", taken=("false",), refused=NOT_BOOLEAN, unserved=("true",)),
    integer("max_speakers", 1, 10),
    integer("speaker_labels_revision_interval_ms", 0, 86_400_000),
    Row("webhook_url", taken=("",), unserved=("http://10.0.0.1/finals",)),  # not without the operator's word
    Row("webhook_auth_header_name", taken=("", "X-Secret")),
    Row("webhook_auth_header_value", taken=("", "secret")),
    Row(
        "llm_gateway",
        taken=('{"model": "m", "messages": [{"role": "user", "content": "{{turn}}"}], "max_tokens": 9}',),
        refused=("", "[]", "7", "m", '{"model"'),
    ),
    Row("domain", taken=("medical-v1",), refused=("legal", "")),
    Row(
        "voice_focus",
        taken=("near-field", "far-field"),
        refused=("on", ""),
        aliases=("noise_suppression_model",),
    ),
    share("voice_focus_threshold", aliases=("noise_suppression_threshold",)),
    boolean("customer_support_audio_capture", aliases=("_customer_support_audio_capture",)),
    Row("formatted_finals", taken=("true", "false")),
    Row("word_finalization_max_wait_time", taken=("", "500")),
)

OWN_ROWS = (
    Row("formatted_source", taken=("full_decode", "final_words"), refused=("both", "")),
    boolean("resumable"),
    Row("speech_model", taken=("",)),
)
"""What our own server knows besides, or takes otherwise."""

ELSEWHERE = {
    "token": "test_blackbox_auth",
    "resume_key": "test_blackbox_resume",
    "messages_received": "test_blackbox_resume",
}
"""Parameters that are no affair of single values, and the module that checks each."""

ODD_QUERIES = {
    "an unknown name": "colour=blue",
    "a misspelt name": "samplerate=7000",
    "a name without a value": "colour",
    "an empty name": "=7",
    "two separators": "&&format_turns=true&&",
    "an old name beside its new one, which wins": ("min_turn_silence=400&min_end_of_turn_silence_when_confident=abc"),
    "a longest silence below the shortest": "min_turn_silence=2000&max_turn_silence=100",
    "both silences the same, as agents send them": "min_turn_silence=100&max_turn_silence=100",
}
"""Queries that a session begins with all the same (sections 0.1, 2.1, 2.2)."""

REFUSED_ON_US_WHEN_STRICT = ("mode=balanced", "prompt=Hello", "agent_context=Hello")
"""Only of U3 models (section 2.2): ignored by a lenient service on another model."""

IGNORED_ON_US = ("interruption_delay=200", "continuous_partials=false", "acknowledge_silence=true")
"""The same, but nobody refuses them."""
