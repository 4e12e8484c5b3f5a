"""The table of v3 connection parameters. PURE: standard library and `core` only.

One row a parameter; parsing, `UpdateConfiguration` and the protocol reference all come from it. Every
value is checked, also where it has no effect. What would be dishonest to ignore is refused: a client that
asks for redaction must never be sent unredacted text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tympan.core.audio import Encoding
from tympan.core.cadence import CONFIRMING_SPEECH_MS, CONTINUOUS_MS
from tympan.core.config import FormattedSource
from tympan.core.heartbeat import PERIOD_S
from tympan.wire.kinds import Choice, Flag, Integer, JsonObject, Number, Strings, Text
from tympan.wire.parameter import Parameter, State
from tympan.wire.v3.models import DEFAULT_MODEL
from tympan.wire.v3.modes import DEFAULT_MODE, MODES, U3_TURN
from tympan.wire.v3.profiles import Profile


def _unavailable(what: str) -> Callable[[object], str | None]:
    return lambda value: f"{what} is not available yet; leave it out" if value else None


def _coded_audio(encoding: str) -> str | None:
    if encoding in set(Encoding):
        return None
    return f"'{encoding}' is not supported yet; send {' or '.join(Encoding)}"


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
SAME, WITHOUT_EFFECT, REFUSED = State.SAME, State.WITHOUT_EFFECT, State.REFUSED
US: frozenset[str] = frozenset({Profile.US})
U3: frozenset[str] = frozenset({Profile.U3})
_ENCODINGS = ("pcm_s16le", "pcm_mulaw", "opus", "ogg_opus", "aac")
_DAY_MS = 86_400_000
MAX_KEYTERMS = 100

TOKEN = Parameter("token", Text(), SAME, "temporary token, or an API key")
SAMPLE_RATE = Parameter(
    "sample_rate",
    Integer(
        8_000,
        96_000,
        "Hz",
        below="sample_rate must be at least 8,000 Hz",
        above="sample_rate must be at most 96,000 Hz",
    ),
    SAME,
    "sample rate of the audio; never clamped",
    "16000",
)
ENCODING = Parameter(
    "encoding",
    Choice(_ENCODINGS, "Encoding"),
    SAME,
    "what the audio bytes are; `opus`, `ogg_opus` and `aac` are refused: not supported yet",
    "pcm_s16le",
    objection=_coded_audio,
)
SPEECH_MODEL = Parameter(
    "speech_model",
    Text(),
    SAME,
    "chooses the profile, see below; an unknown name means the default, and is refused when strict",
    DEFAULT_MODEL,
)
FORMAT_TURNS = Parameter(
    "format_turns",
    Flag(),
    SAME,
    "a second, formatted final for each turn; a change acts on turns that end after it",
    "false",
    is_updatable=True,
    profiles=US,
)
CONFIDENCE_THRESHOLD = Parameter(
    "end_of_turn_confidence_threshold",
    Number(0, 1),
    SAME,
    "confidence that ends a turn after `min_turn_silence`; 0: always, 1: never, silence alone decides",
    "0.4",
    is_updatable=True,
    profiles=frozenset({Profile.US, Profile.WHISPER}),
)
MIN_TURN_SILENCE = Parameter(
    "min_turn_silence",
    Integer(0, 10_000, "ms"),
    SAME,
    "silence before a confident end of turn; U3: before the turn is looked at, and ended or told",
    "400",
    str(U3_TURN.min_silence_ms),
    aliases=("min_end_of_turn_silence_when_confident",),
    is_updatable=True,
)
MAX_TURN_SILENCE = Parameter(
    "max_turn_silence",
    Integer(1, 3_600_000, "ms"),
    SAME,
    "silence that always ends a turn; below `min_turn_silence`, or U3 below 300, it counts as that",
    "1280",
    str(U3_TURN.max_silence_ms),
    is_updatable=True,
)
VAD_THRESHOLD = Parameter(
    "vad_threshold",
    Number(0, 1),
    SAME,
    "a frame is speech from this probability on",
    "0.4",
    str(U3_TURN.vad_threshold),
    is_updatable=True,
)
INCLUDE_PARTIAL_TURNS = Parameter(
    "include_partial_turns",
    Flag(),
    SAME,
    "false: of turns only `end_of_turn` messages are sent; `SpeechStarted` still is",
    "true",
)
INACTIVITY_TIMEOUT = Parameter(
    "inactivity_timeout", Integer(5, 3_600, "s"), SAME, "close after that long without any message", "none"
)
FILTER_PROFANITY = Parameter(
    "filter_profanity",
    Flag(),
    SAME,
    "mask profane words, in partials and finals: `s***`",
    "false",
    is_updatable=True,
)
FORMATTED_SOURCE = Parameter(
    "formatted_source",
    Choice(tuple(FormattedSource), "formatted_source"),
    State.EXTENSION,
    "words of the formatted final: `full_decode` transcribes the whole turn anew and may correct words, "
    "`final_words` keeps the words of the raw final",
    "full_decode",
    profiles=US,
)
FORMATTED_FINALS = Parameter(
    "formatted_finals",
    Flag(),
    State.EXTENSION,
    "pre-release name of `format_turns`, which wins",
    profiles=US,
)
MODE = Parameter(
    "mode",
    Choice(tuple(MODES), "Mode"),
    SAME,
    "sets several values at once, see below; what is given beside it or later wins",
    u3_default=DEFAULT_MODE,
    is_updatable=True,
    profiles=U3,
    is_refused_elsewhere=True,
)
INTERRUPTION_DELAY = Parameter(
    "interruption_delay",
    Integer(0, 1_000, "ms"),
    SAME,
    f"the first partial of a turn, and `SpeechStarted`, come after this much speech and {CONFIRMING_SPEECH_MS} ms",
    u3_default=str(U3_TURN.partial_delay_ms),
    is_updatable=True,
    profiles=U3,
)
CONTINUOUS_PARTIALS = Parameter(
    "continuous_partials",
    Flag(),
    SAME,
    f"a partial every {CONTINUOUS_MS // 1000} s of speech",
    u3_default="true",
    is_updatable=True,
    profiles=U3,
)
TURN_LEFT_PAD = Parameter(
    "turn_left_pad_ms",
    Integer(0, 2_000, "ms"),
    SAME,
    "audio that is transcribed with a turn, up to the end of its first frame (32 ms) with speech",
    str(U3_TURN.left_pad_ms),
    is_updatable=True,
)
LANGUAGE_DETECTION = Parameter(
    "language_detection",
    Flag(),
    SAME,
    "`language_code` and `language_confidence` of turns; nothing is detected, the engine knows one language alone",
    "false",
)
SESSION_HEARTBEAT = Parameter(
    "session_heartbeat", Flag(), SAME, f"`Heartbeat` every {PERIOD_S:g} s", "false", is_updatable=True
)
ACKNOWLEDGE_SILENCE = Parameter(
    "acknowledge_silence",
    Flag(),
    SAME,
    "`Silence` about once a second of audio without speech",
    u3_default="false",
    is_updatable=True,
    profiles=U3,
)
RESUMABLE = Parameter(
    "resumable",
    Flag(),
    State.EXTENSION,
    "keep the session for a while when the connection is lost, see [Resuming](#resuming)",
    "false",
)
RESUME_KEY = Parameter(
    "resume_key",
    Text(),
    State.EXTENSION,
    "go on with the session that this key belongs to; all parameters but `messages_received` are ignored then",
)
MESSAGES_RECEIVED = Parameter(
    "messages_received",
    Integer(0, 1_000_000_000, below="a count can't be negative", above="no session has that many messages"),
    State.EXTENSION,
    "only with `resume_key`: text messages of the server received in the session, `Resumed` not counted",
    "0",
)

PARAMETERS: tuple[Parameter[Any], ...] = (
    TOKEN,
    SAMPLE_RATE,
    ENCODING,
    SPEECH_MODEL,
    FORMAT_TURNS,
    CONFIDENCE_THRESHOLD,
    MIN_TURN_SILENCE,
    MAX_TURN_SILENCE,
    VAD_THRESHOLD,
    INCLUDE_PARTIAL_TURNS,
    INACTIVITY_TIMEOUT,
    FILTER_PROFANITY,
    FORMATTED_SOURCE,
    FORMATTED_FINALS,
    MODE,
    INTERRUPTION_DELAY,
    CONTINUOUS_PARTIALS,
    TURN_LEFT_PAD,
    LANGUAGE_DETECTION,
    SESSION_HEARTBEAT,
    ACKNOWLEDGE_SILENCE,
    RESUMABLE,
    RESUME_KEY,
    MESSAGES_RECEIVED,
    Parameter(
        "keyterms_prompt",
        Strings(MAX_KEYTERMS),
        WITHOUT_EFFECT,
        "terms to listen for",
        aliases=("keyterms",),
        is_updatable=True,
    ),
    Parameter(
        "prompt",
        Text(1750),
        WITHOUT_EFFECT,
        "steering text",
        is_updatable=True,
        profiles=U3,
        is_refused_elsewhere=True,
    ),
    Parameter(
        "agent_context",
        Text(1750),
        WITHOUT_EFFECT,
        "what the agent just said",
        is_updatable=True,
        profiles=U3,
        is_refused_elsewhere=True,
    ),
    Parameter("previous_context_n_turns", Integer(0, 100), WITHOUT_EFFECT, "turns of context", profiles=U3),
    Parameter(
        "language_codes",
        Strings(10, LANGUAGE_CODES, "language code"),
        WITHOUT_EFFECT,
        "refused unless empty, `multi`, or with `en` among them",
        aliases=("language_code",),
        is_updatable=True,
        objection=_languages,
    ),
    Parameter("language", Choice(("en", "multi"), "language"), WITHOUT_EFFECT, "deprecated; English either way"),
    Parameter(
        "redact_pii",
        Flag(),
        REFUSED,
        "true is refused, so that nobody relies on it in vain",
        "false",
        objection=_unavailable("redaction"),
    ),
    Parameter("redact_pii_policies", Strings(100), WITHOUT_EFFECT, "only with `redact_pii`"),
    Parameter(
        "redact_pii_sub",
        Choice(("hash", "entity_name"), "redact_pii_sub"),
        WITHOUT_EFFECT,
        "only with `redact_pii`",
    ),
    Parameter(
        "speaker_labels",
        Flag(),
        REFUSED,
        "true is refused: turns carry no speakers",
        "false",
        objection=_unavailable("speaker labelling"),
    ),
    Parameter("max_speakers", Integer(1, 10), WITHOUT_EFFECT, "only with `speaker_labels`"),
    Parameter(
        "speaker_labels_revision_interval_ms",
        Integer(0, _DAY_MS, "ms"),
        WITHOUT_EFFECT,
        "only with `speaker_labels`",
    ),
    Parameter(
        "webhook_url",
        Text(),
        REFUSED,
        "any address is refused: finals would never arrive there",
        objection=_unavailable("a webhook"),
    ),
    Parameter("webhook_auth_header_name", Text(), WITHOUT_EFFECT, "only with `webhook_url`"),
    Parameter("webhook_auth_header_value", Text(), WITHOUT_EFFECT, "only with `webhook_url`"),
    Parameter("llm_gateway", JsonObject(), WITHOUT_EFFECT, "no `LLMGatewayResponse` is sent"),
    Parameter("domain", Choice(("medical-v1",), "Domain"), WITHOUT_EFFECT, "domain model"),
    Parameter(
        "voice_focus",
        Choice(("near-field", "far-field"), "VoiceFocus"),
        WITHOUT_EFFECT,
        "noise suppression",
        aliases=("noise_suppression_model",),
    ),
    Parameter(
        "voice_focus_threshold",
        Number(0, 1),
        WITHOUT_EFFECT,
        "strength of noise suppression",
        aliases=("noise_suppression_threshold",),
    ),
    Parameter(
        "customer_support_audio_capture",
        Flag(),
        WITHOUT_EFFECT,
        "audio is never recorded",
        aliases=("_customer_support_audio_capture",),
    ),
    Parameter("word_finalization_max_wait_time", Text(), WITHOUT_EFFECT, "pre-release name"),
)
