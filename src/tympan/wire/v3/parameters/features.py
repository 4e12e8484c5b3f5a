"""Parameters of what is done with the audio and the text beside: languages, terms and prompts, noise, redaction,
speakers, webhooks, a language model. PURE: standard library and `core` only.

What would be dishonest to ignore is refused: a client that asks for redaction must never be sent unredacted text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tympan.core.config import Microphone
from tympan.wire.kinds import Choice, Flag, Integer, JsonObject, Number, Strings, Text
from tympan.wire.parameter import Parameter, State
from tympan.wire.v3.llm_gateway import MAX_MESSAGES, PLACE, prompt_objection
from tympan.wire.v3.profiles import U3
from tympan.wire.v3.webhook import (
    MAX_HEADER_NAME_CHARS,
    MAX_HEADER_VALUE_CHARS,
    MAX_URL_CHARS,
    header_name_objection,
    header_value_objection,
    url_objection,
)


def _unavailable(what: str) -> Callable[[object], str | None]:
    return lambda value: f"{what} is not available yet; leave it out" if value else None


def _languages(codes: tuple[str, ...]) -> str | None:
    if "multi" in codes and len(codes) > 1:
        return "'multi' must be the only item"
    if not codes or {"en", "multi"} & set(codes):
        return None
    return f"only English is transcribed, not {', '.join(codes)}"


# fmt: off
LANGUAGE_CODES = frozenset((
    "en", "es", "de", "fr", "it", "pt", "tr", "nl", "sv", "no", "da", "fi", "hi", "vi", "ar", "he",
    "ja", "ur", "zh", "ru", "ko", "ca", "gl", "ro", "et", "fa", "yue", "af", "mr", "zu", "xh",
    "nn", "multi",
))
# fmt: on
_DAY_MS = 86_400_000
MAX_KEYTERMS = 100

LANGUAGE_DETECTION = Parameter(
    "language_detection",
    Flag(),
    State.SAME,
    "`language_code` and `language_confidence` of turns; nothing is detected, the engine knows one language alone",
    "false",
    difference="nothing is detected: the code is the engine's one language, the confidence that of the words",
)
VOICE_FOCUS = Parameter(
    "voice_focus",
    Choice(tuple(Microphone), "VoiceFocus"),
    State.SAME,
    "suppress noise for a speaker who is close to the microphone, or across the room; steady noise, no other voices. "
    "Without the extra `focus` on the server it has no effect, and `Begin` doesn't echo it",
    aliases=("noise_suppression_model",),
    difference="steady noise is turned down, other voices aren't; no effect without the extra `focus`",
)
VOICE_FOCUS_THRESHOLD = Parameter(
    "voice_focus_threshold",
    Number(0, 1),
    State.SAME,
    "only with `voice_focus`: by how much noise is turned down, from 0 to 12 dB, or 6 dB for `far-field`",
    "0.5",
    aliases=("noise_suppression_threshold",),
    difference="the decibels are ours",
)
WEBHOOK_URL = Parameter(
    "webhook_url",
    Text(MAX_URL_CHARS),
    State.SAME,
    "when the session is over, its finals are posted there, see [Webhook](#webhook)",
    objection=url_objection,
    difference="an address that isn't on the public Internet takes the operator's word; tried again for an hour",
)
WEBHOOK_AUTH_HEADER_NAME = Parameter(
    "webhook_auth_header_name",
    Text(MAX_HEADER_NAME_CHARS),
    State.SAME,
    "a header of the client's own that the webhook is posted with; both or none",
    objection=header_name_objection,
    difference="a header that HTTP or the signature has a use of its own for is refused",
)
WEBHOOK_AUTH_HEADER_VALUE = Parameter(
    "webhook_auth_header_value",
    Text(MAX_HEADER_VALUE_CHARS),
    State.SAME,
    "its value",
    objection=header_value_objection,
)
LLM_GATEWAY = Parameter(
    "llm_gateway",
    JsonObject(),
    State.SAME,
    f"a chat completion request: `model`, 1 to {MAX_MESSAGES} `messages` of `role` and `content`, `max_tokens`, …; "
    f"it is made for each finished turn, `{PLACE}` standing for its transcript, and answered by `LLMGatewayResponse`; "
    "without effect unless the operator has set `llm_gateway_url`",
    objection=prompt_objection,
    difference="asks the operator's language model; without one it has no effect",
)

ROWS: tuple[Parameter[Any], ...] = (
    LANGUAGE_DETECTION,
    VOICE_FOCUS,
    VOICE_FOCUS_THRESHOLD,
    WEBHOOK_URL,
    WEBHOOK_AUTH_HEADER_NAME,
    WEBHOOK_AUTH_HEADER_VALUE,
    LLM_GATEWAY,
    Parameter(
        "keyterms_prompt",
        Strings(MAX_KEYTERMS),
        State.WITHOUT_EFFECT,
        "terms to listen for",
        aliases=("keyterms",),
        is_updatable=True,
    ),
    Parameter(
        "prompt",
        Text(1750),
        State.WITHOUT_EFFECT,
        "steering text",
        is_updatable=True,
        profiles=U3,
        is_refused_elsewhere=True,
    ),
    Parameter(
        "agent_context",
        Text(1750),
        State.WITHOUT_EFFECT,
        "what the agent just said",
        is_updatable=True,
        profiles=U3,
        is_refused_elsewhere=True,
    ),
    Parameter("previous_context_n_turns", Integer(0, 100), State.WITHOUT_EFFECT, "turns of context", profiles=U3),
    Parameter(
        "language_codes",
        Strings(10, LANGUAGE_CODES, "language code"),
        State.WITHOUT_EFFECT,
        "refused unless empty, `multi`, or with `en` among them",
        aliases=("language_code",),
        is_updatable=True,
        objection=_languages,
    ),
    Parameter("language", Choice(("en", "multi"), "language"), State.WITHOUT_EFFECT, "deprecated; English either way"),
    Parameter(
        "redact_pii",
        Flag(),
        State.REFUSED,
        "true is refused, so that nobody relies on it in vain",
        "false",
        objection=_unavailable("redaction"),
    ),
    Parameter("redact_pii_policies", Strings(100), State.WITHOUT_EFFECT, "only with `redact_pii`"),
    Parameter(
        "redact_pii_sub",
        Choice(("hash", "entity_name"), "redact_pii_sub"),
        State.WITHOUT_EFFECT,
        "only with `redact_pii`",
    ),
    Parameter(
        "speaker_labels",
        Flag(),
        State.REFUSED,
        "true is refused: turns carry no speakers",
        "false",
        objection=_unavailable("speaker labelling"),
    ),
    Parameter("max_speakers", Integer(1, 10), State.WITHOUT_EFFECT, "only with `speaker_labels`"),
    Parameter(
        "speaker_labels_revision_interval_ms",
        Integer(0, _DAY_MS, "ms"),
        State.WITHOUT_EFFECT,
        "only with `speaker_labels`",
    ),
    Parameter("domain", Choice(("medical-v1",), "Domain"), State.WITHOUT_EFFECT, "domain model"),
)
