"""Error → close code and texts: the only file that knows the numbers. PURE: standard library and `core`.

The peer is shown the error's own message, after a fixed prefix where the rule has one: raise
`Unauthorized("Invalid API key")`, and it reads "Unauthorized Connection: Invalid API key". Errors that
aren't the peer's business (an engine failure, a bug) are told as "an error occurred"; their detail
belongs in the log.
"""

from __future__ import annotations

from dataclasses import dataclass

from tympan.core.errors import (
    AudioTooFast,
    BadAudio,
    BadChunk,
    BadParameter,
    ChunkTooShort,
    Inactive,
    NotJson,
    NotResumable,
    ProtocolError,
    ResumedElsewhere,
    ServerStopping,
    SessionExpired,
    SessionRefused,
    TooManyNewSessions,
    TooManySessionsOfKey,
    TympanError,
    Unauthorized,
)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ends. `error` is the text to send before closing; None after a graceful end."""

    code: int
    reason: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class EndingRule:
    """Errors of one type end like this; `{}` in the text is the error's own message.

    With a `parameter`, only where that one is wrong. `difference` is to the hosted service, where there is one.
    """

    error_type: type[TympanError]
    code: int
    text: str
    when: str
    parameter: str | None = None
    difference: str = ""

    def matches(self, error: Exception) -> bool:
        """The error ends a connection like this."""
        is_about_it = self.parameter is None or getattr(error, "name", None) == self.parameter
        return isinstance(error, self.error_type) and is_about_it


V3_RULES = (
    EndingRule(Unauthorized, 1008, "Unauthorized Connection: {}", "no credential, or not a valid one"),
    EndingRule(NotResumable, 4004, "Session Not Resumable: {}", "the session to resume isn't kept (any more)"),
    EndingRule(
        TooManyNewSessions,
        1008,
        "Unauthorized Connection: Too many new sessions: {}",
        "the key has begun `max_new_sessions_per_minute`",
        difference="the text is ours; no limit unless the operator sets one",
    ),
    EndingRule(
        TooManySessionsOfKey,
        3009,
        "Unauthorized Connection: Too many concurrent sessions",
        "the key holds `max_sessions_per_key`",
        difference="no limit unless the operator sets one; the hosted service's documentation also says 1008",
    ),
    EndingRule(SessionRefused, 3009, "Unauthorized Connection: Too many concurrent sessions", "the server is full"),
    EndingRule(
        BadChunk,
        3007,
        "Input Duration Error: {}",
        "a binary message too long or too short",
        difference="from 10 s on, not 1 s, and short ones never, unless strict",
    ),
    EndingRule(
        AudioTooFast,
        3007,
        "{}",
        "too much audio waits to be judged",
        difference="audio is judged as fast as it can be, and that pace counts, unless strict",
    ),
    EndingRule(
        BadAudio,
        3006,
        "User Input Validation Error: {}",
        "compressed audio that can't be read",
        difference="the hosted service's code and text for it aren't known",
    ),
    EndingRule(ProtocolError, 3006, "User Input Validation Error: {}", "a bad parameter, bad JSON or a bad message"),
    EndingRule(Inactive, 3006, "{}", "nothing came for `inactivity_timeout`"),
    EndingRule(
        SessionExpired,
        3008,
        "Session Expired: Maximum session duration exceeded",
        "`expires_at` has come",
        difference="the last words are told before",
    ),
    EndingRule(ServerStopping, 3005, "Session Cancelled: {}", "the server shuts down"),
    EndingRule(ResumedElsewhere, 4103, "Session Resumed Elsewhere", "another connection resumed the session"),
    EndingRule(TympanError, 3005, "Session Cancelled: An error occurred", "the server failed; details in its log"),
)
"""First match wins (protocol reference, section 4.12)."""

TOO_MANY = "Too many"
"""In the text of a 1008: the credential isn't wrong, it has too many sessions, or began too many."""

V3_GRACEFUL = Ending(1000, "Session Ended")
V3_ERROR_REASON = "See Error message for details"


def v3_ending(error: Exception | None) -> Ending:
    """How a v3 connection ends for this reason; None means gracefully. Unforeseen errors are 3005."""
    if error is None:
        return V3_GRACEFUL
    rule = _first_matching(V3_RULES, error)
    return Ending(rule.code, V3_ERROR_REASON, rule.text.replace("{}", str(error)))


_DETAIL = ": {}"

V2_RULES = (
    EndingRule(
        BadParameter,
        4000,
        "Sample rate must be a positive integer: {}",
        "`sample_rate` is missing or can't be used",
        parameter="sample_rate",
    ),
    EndingRule(
        BadParameter,
        4104,
        "Could not parse word boost parameter: {}",
        "`word_boost` can't be used",
        parameter="word_boost",
    ),
    EndingRule(Unauthorized, 4001, "Not Authorized: {}", "no credential, or not a valid one"),
    EndingRule(
        TooManyNewSessions,
        4102,
        "This account has exceeded the number of allowed streams: {}",
        "the key has begun `max_new_sessions_per_minute`",
    ),
    EndingRule(
        TooManySessionsOfKey,
        4102,
        "This account has exceeded the number of allowed streams",
        "the key holds `max_sessions_per_key`",
    ),
    EndingRule(
        SessionRefused,
        4102,
        "This account has exceeded the number of allowed streams",
        "the server is full",
    ),
    EndingRule(AudioTooFast, 4029, "Client sent audio too fast: {}", "too much audio waits to be judged"),
    EndingRule(ChunkTooShort, 4032, "Audio duration is too short: {}", "only when the server is strict"),
    EndingRule(
        BadChunk,
        4033,
        "Audio duration is too long: {}",
        "a message with too much audio",
        difference="from 10 s on, not 2 s, unless strict",
    ),
    EndingRule(NotJson, 4100, "Endpoint received invalid JSON: {}", "a text message that is no JSON"),
    EndingRule(
        ProtocolError,
        4101,
        "Endpoint received a message with an invalid schema: {}",
        "any other message or parameter that can't be used",
    ),
    EndingRule(Inactive, 4031, "Session idle for too long: {}", "nothing came for the server's `inactivity_timeout_s`"),
    EndingRule(SessionExpired, 4008, "Session Expired", "`expires_at` has come; all words were told before"),
    EndingRule(
        ServerStopping,
        1013,
        "Temporary server condition forced blocking client's request: {}",
        "the server shuts down; all words were told before",
    ),
    EndingRule(
        TympanError,
        1011,
        "An error occurred",
        "the server failed; details in its log",
        difference="what the hosted service sent then isn't known",
    ),
)
"""First match wins (protocol reference, sections 8.4 and 9)."""

V2_NEVER_SENT = {
    4002: "Insufficient Funds",
    4003: "This feature is paid-only",
    4004: "Session Not Found",
    4010: "Session Previously Closed",
    4030: "Session is handled by another websocket",
    4034: "Audio too small to transcode",
    4103: "The session has been reconnected. This websocket is no longer valid.",
}
"""Codes of the hosted service for what this server doesn't have."""

V2_GRACEFUL = Ending(1000, "")


def v2_ending(error: Exception | None) -> Ending:
    """How a v2 connection ends for this reason; None means gracefully. Unforeseen errors are 1011.

    The reason of the close is the text without its detail, which may be too long for a close.
    """
    if error is None:
        return V2_GRACEFUL
    rule = _first_matching(V2_RULES, error)
    return Ending(rule.code, rule.text.removesuffix(_DETAIL), rule.text.replace("{}", str(error)))


@dataclass(frozen=True, slots=True)
class BridgeRule:
    """What a v3 service ended with → how the bridge ends the v2 session.

    `holds` is what the service's text must hold; `{}` in our text is the service's own.
    """

    upstream_code: int
    holds: str
    code: int
    text: str


UPSTREAM_REFUSES_KEY = 1008
UPSTREAM_EXPIRED = 3008
UPSTREAM_FULL = (UPSTREAM_REFUSES_KEY, 3009)
"""For too many sessions; the first one is for a wrong key as well."""

BRIDGE_RULES = (
    BridgeRule(UPSTREAM_REFUSES_KEY, TOO_MANY, 4102, "This account has exceeded the number of allowed streams"),
    BridgeRule(
        UPSTREAM_REFUSES_KEY, "", 4001, "Not Authorized: the service behind the bridge doesn't accept the bridge's key"
    ),
    BridgeRule(3006, "inactivity", 4031, "Session idle for too long: {}"),
    BridgeRule(3006, "'sample_rate'", 4000, "Sample rate must be a positive integer: {}"),
    BridgeRule(3006, "'keyterms", 4104, "Could not parse word boost parameter: {}"),
    BridgeRule(3006, "", 4101, "Endpoint received a message with an invalid schema: {}"),
    BridgeRule(3007, "Rate Exceeded", 4029, "Client sent audio too fast: {}"),
    BridgeRule(3007, "", 4033, "Audio duration is too long: {}"),
    BridgeRule(UPSTREAM_EXPIRED, "", 4008, "Session Expired"),
    BridgeRule(3009, "", 4102, "This account has exceeded the number of allowed streams"),
    BridgeRule(3005, "", 1011, "An error occurred: the service behind the bridge failed"),
)
"""First match wins (protocol reference, section 9)."""

BRIDGE_UNREACHABLE = BridgeRule(
    1006, "", 1013, "Temporary server condition forced blocking client's request: no service behind the bridge: {}"
)
BRIDGE_OTHERWISE = BridgeRule(0, "", 1011, "An error occurred: {}")


def bridge_ending(upstream_code: int | None, text: str) -> Ending:
    """How a bridged session ends whose service ended like this; no code means that none was reached."""
    matching = (rule for rule in BRIDGE_RULES if rule.upstream_code == upstream_code and rule.holds in text)
    is_unreachable = upstream_code in (None, BRIDGE_UNREACHABLE.upstream_code)
    rule = next(matching, BRIDGE_UNREACHABLE if is_unreachable else BRIDGE_OTHERWISE)
    return Ending(rule.code, rule.text.partition(":")[0], rule.text.replace("{}", text))


def _first_matching(rules: tuple[EndingRule, ...], error: Exception) -> EndingRule:
    return next((rule for rule in rules if rule.matches(error)), rules[-1])
