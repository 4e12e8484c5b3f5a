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
    BadChunk,
    Inactive,
    NotResumable,
    ProtocolError,
    ResumedElsewhere,
    ServerStopping,
    SessionExpired,
    SessionRefused,
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
    """Errors of one type end like this; `{}` in the text is the error's own message."""

    error_type: type[TympanError]
    code: int
    text: str
    when: str


V3_RULES = (
    EndingRule(Unauthorized, 1008, "Unauthorized Connection: {}", "no credential, or not a valid one"),
    EndingRule(NotResumable, 4004, "Session Not Resumable: {}", "the session to resume isn't kept (any more)"),
    EndingRule(SessionRefused, 3009, "Unauthorized Connection: Too many concurrent sessions", "the server is full"),
    EndingRule(BadChunk, 3007, "Input Duration Error: {}", "a binary message too long or too short"),
    EndingRule(AudioTooFast, 3007, "{}", "too much audio waits to be judged"),
    EndingRule(ProtocolError, 3006, "User Input Validation Error: {}", "a bad parameter, bad JSON or a bad message"),
    EndingRule(Inactive, 3006, "{}", "nothing came for `inactivity_timeout`"),
    EndingRule(
        SessionExpired,
        3008,
        "Session Expired: Maximum session duration exceeded",
        "`expires_at` has come",
    ),
    EndingRule(ServerStopping, 3005, "Session Cancelled: {}", "the server shuts down"),
    EndingRule(ResumedElsewhere, 4103, "Session Resumed Elsewhere", "another connection resumed the session"),
    EndingRule(TympanError, 3005, "Session Cancelled: An error occurred", "the server failed; details in its log"),
)
"""First match wins (protocol reference, section 4.12)."""

V3_GRACEFUL = Ending(1000, "Session Ended")
V3_ERROR_REASON = "See Error message for details"


def v3_ending(error: Exception | None) -> Ending:
    """How a v3 connection ends for this reason; None means gracefully. Unforeseen errors are 3005."""
    if error is None:
        return V3_GRACEFUL
    matching = (rule for rule in V3_RULES if isinstance(error, rule.error_type))
    rule = next(matching, V3_RULES[-1])
    return Ending(rule.code, V3_ERROR_REASON, rule.text.replace("{}", str(error)))
