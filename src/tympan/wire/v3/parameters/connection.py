"""Parameters of the connection and the session as a whole. PURE: standard library and `core` only."""

from __future__ import annotations

from typing import Any

from tympan.core.audio import CompressedEncoding, Encoding
from tympan.core.heartbeat import PERIOD_S
from tympan.wire.kinds import SAMPLE_RATE_HZ, Choice, Flag, Integer, Text
from tympan.wire.parameter import Parameter, State
from tympan.wire.v3.models import DEFAULT_MODEL

TOKEN = Parameter("token", Text(), State.SAME, "temporary token, or an API key")
SAMPLE_RATE = Parameter(
    "sample_rate",
    SAMPLE_RATE_HZ,
    State.SAME,
    "sample rate of raw audio; never clamped",
    "16000",
)
ENCODING = Parameter(
    "encoding",
    Choice((*Encoding, *CompressedEncoding), "Encoding"),
    State.SAME,
    "what the audio bytes are, see [Compressed audio](#compressed-audio)",
    "pcm_s16le",
)
SPEECH_MODEL = Parameter(
    "speech_model",
    Text(),
    State.SAME,
    "chooses the profile, see below; an unknown name means the default, and is refused when strict",
    DEFAULT_MODEL,
    difference="one engine answers every name; without a name the hosted service's default has changed over time",
    strict="an unknown or retired name",
)
INACTIVITY_TIMEOUT = Parameter(
    "inactivity_timeout", Integer(5, 3_600, "s"), State.SAME, "close after that long without any message", "none"
)
SESSION_HEARTBEAT = Parameter(
    "session_heartbeat", Flag(), State.SAME, f"`Heartbeat` every {PERIOD_S:g} s", "false", is_updatable=True
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

ROWS: tuple[Parameter[Any], ...] = (
    TOKEN,
    SAMPLE_RATE,
    ENCODING,
    SPEECH_MODEL,
    INACTIVITY_TIMEOUT,
    SESSION_HEARTBEAT,
    RESUMABLE,
    RESUME_KEY,
    MESSAGES_RECEIVED,
    Parameter(
        "customer_support_audio_capture",
        Flag(),
        State.WITHOUT_EFFECT,
        "audio is never recorded",
        aliases=("_customer_support_audio_capture",),
    ),
)
