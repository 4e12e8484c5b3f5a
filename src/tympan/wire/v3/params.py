"""Query string → configuration. PURE: standard library and `core` only."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TypeVar

from tympan.core.audio import AudioFormat, CompressedEncoding, CompressedFormat, Encoding, SessionAudio
from tympan.core.config import FocusConfig, FormattedSource, Microphone, SessionConfig, SessionLimits
from tympan.core.errors import BadParameter
from tympan.core.units import ENGINE_SAMPLE_RATE_HZ
from tympan.wire.query import Given
from tympan.wire.server_protocol import ResumeRequest
from tympan.wire.v3.llm_gateway import Prompt
from tympan.wire.v3.messages import LATEST_API_VERSION
from tympan.wire.v3.models import DEFAULT_MODEL, profile_of
from tympan.wire.v3.modes import DEFAULT_MODE, U3_TURN
from tympan.wire.v3.parameters import PARAMETERS, connection, features, turns
from tympan.wire.v3.profiles import Profile
from tympan.wire.v3.update import changes
from tympan.wire.v3.webhook import Webhook

T = TypeVar("T")

STRICT_CHUNK_MS = (50, 1_000)
"""Shortest and longest audio in one message (protocol reference, section 3)."""

_API_VERSION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MAX_ECHO_CHARS = 100


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """What the connection needs to know and the session doesn't.

    `requested_model` is set when the name was unknown and the default serves it instead;
    `without_effect` names parameters that were given and do nothing here. Both are worth a line in the
    log; neither holds a credential. `is_resumable` is the wish for the resume extension. `webhook` and `prompt`
    are None where nothing is to be posted, or asked.
    """

    token: str | None = field(default=None, repr=False)
    speech_model: str = DEFAULT_MODEL
    profile: Profile = Profile.US
    mode: str | None = None
    api_version: str = LATEST_API_VERSION
    requested_model: str | None = None
    without_effect: tuple[str, ...] = ()
    is_resumable: bool = False
    webhook: Webhook | None = None
    prompt: Prompt | None = None


def parse_query(
    query: str, *, defaults: SessionConfig, strict: bool, api_version: str | None = None
) -> tuple[SessionConfig, ConnectionOptions]:
    """What a client asks for in the query string of its connection.

    `defaults` hold for what it leaves out. `strict` refuses values that are otherwise clamped, and unknown
    models. `api_version` is the value of the `AssemblyAI-Version` header; anything but a date is ignored.

    Raises:
        BadParameter: a value that can't be used; the connection ends with code 3006.
    """
    requested = Given(query, is_strict=strict).value(connection.SPEECH_MODEL)
    profile, model = profile_of(requested, is_strict=strict)
    given = Given(query, is_strict=strict, profile=profile)
    shortened = requested and requested[:_MAX_ECHO_CHARS]
    without_effect = given.check_all(PARAMETERS)
    options = ConnectionOptions(
        token=given.value(connection.TOKEN),
        speech_model=model,
        profile=profile,
        mode=_or(given.value(turns.MODE), DEFAULT_MODE) if turns.MODE.applies_to(profile) else None,
        api_version=_api_version(api_version),
        requested_model=shortened if shortened and shortened != model else None,
        without_effect=without_effect,
        is_resumable=given.value(connection.RESUMABLE) or False,
        webhook=_webhook(given),
        prompt=_prompt(given),
    )
    return _session_config(given, defaults, profile), options


def query_token(query: str) -> str | None:
    """The credential alone, whatever else the query holds: who asks is judged before what is asked.

    Raises:
        BadParameter: the query has too many fields.
    """
    return Given(query, is_strict=False).value(connection.TOKEN)


def query_resume(query: str) -> ResumeRequest | None:
    """The wish to resume a session, None when there is none; everything else in the query is ignored.

    Raises:
        BadParameter: the query has too many fields, or `messages_received` is no count.
    """
    given = Given(query, is_strict=False)
    key = given.value(connection.RESUME_KEY)
    return None if key is None else ResumeRequest(key, given.value(connection.MESSAGES_RECEIVED) or 0)


def _session_config(given: Given, defaults: SessionConfig, profile: Profile) -> SessionConfig:
    source = given.value(turns.FORMATTED_SOURCE)
    base = SessionConfig(
        audio=_audio(given, defaults.audio),
        turn=U3_TURN if profile is Profile.U3 else defaults.turn,
        output=replace(
            defaults.output,
            include_partial_turns=_or(given.value(turns.INCLUDE_PARTIAL_TURNS), defaults.output.include_partial_turns),
            formatted_source=defaults.output.formatted_source if source is None else FormattedSource(source),
            has_language=_or(given.value(features.LANGUAGE_DETECTION), defaults.output.has_language),
        ),
        limits=_limits(given, defaults.limits),
        focus=_focus(given, defaults.focus),
    )
    return changes(given.value).apply_to(base)


def _limits(given: Given, defaults: SessionLimits) -> SessionLimits:
    timeout_s = _or(given.value(connection.INACTIVITY_TIMEOUT), defaults.inactivity_timeout_s)
    limits = replace(defaults, inactivity_timeout_s=timeout_s, is_strict=given.is_strict)
    if not given.is_strict:
        return limits
    low_ms, high_ms = STRICT_CHUNK_MS
    return replace(limits, min_chunk_ms=low_ms, max_chunk_ms=high_ms)


def _audio(given: Given, default: SessionAudio) -> SessionAudio:
    encoding = given.value(connection.ENCODING) or str(default.encoding)
    if encoding in tuple(CompressedEncoding):
        return CompressedFormat(CompressedEncoding(encoding))
    rate_hz = default.sample_rate_hz if isinstance(default, AudioFormat) else ENGINE_SAMPLE_RATE_HZ
    return AudioFormat(Encoding(encoding), _or(given.value(connection.SAMPLE_RATE), rate_hz))


def _focus(given: Given, default: FocusConfig | None) -> FocusConfig | None:
    microphone, strength = given.value(features.VOICE_FOCUS), given.value(features.VOICE_FOCUS_THRESHOLD)
    focus = default if microphone is None else FocusConfig(Microphone(microphone))
    return focus if focus is None or strength is None else replace(focus, strength=strength)


def _webhook(given: Given) -> Webhook | None:
    url = given.value(features.WEBHOOK_URL)
    name = given.value(features.WEBHOOK_AUTH_HEADER_NAME) or ""
    value = (given.value(features.WEBHOOK_AUTH_HEADER_VALUE) or "").strip()
    if not url:
        return None
    if bool(name) != bool(value):
        missing = features.WEBHOOK_AUTH_HEADER_VALUE if name else features.WEBHOOK_AUTH_HEADER_NAME
        raise BadParameter(missing.name, "is missing; the receiver could not tell who posts")
    return Webhook(url, (name, value) if name else None)


def _prompt(given: Given) -> Prompt | None:
    document = given.value(features.LLM_GATEWAY)
    return Prompt(document) if document else None


def _api_version(header: str | None) -> str:
    return header if header and _API_VERSION.fullmatch(header) else LATEST_API_VERSION


def _or(value: T | None, default: T) -> T:
    return default if value is None else value
