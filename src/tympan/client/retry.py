"""When to connect again after a connection was lost, and when not to. PURE: time and chance are arguments.

Rules:
- One table says which errors are worth a new attempt; an error that a new attempt would only repeat (a wrong
  key, a wrong parameter, a certificate that isn't trusted) ends the session at once.
- Delays double from attempt to attempt, with full jitter: anything between 0 and the doubled delay, so that the
  clients of a server that was restarted don't come back all at once.
- Attempts end after a number or a time, whichever comes first. Both count from the loss of the connection, and
  begin anew once a connection has shown that it works.
"""

from __future__ import annotations

from dataclasses import dataclass

from tympan.client.errors import (
    AuthError,
    ClientError,
    NetworkError,
    Phase,
    ProtocolViolation,
    RequestError,
    ServerError,
    SessionLost,
    SilentServer,
    TlsError,
)
from tympan.core.units import Monotonic


@dataclass(frozen=True, slots=True)
class ReconnectPolicy:
    """How long and how often to try."""

    max_attempts: int = 20
    max_total_s: float = 120
    first_delay_s: float = 0.25
    longest_delay_s: float = 10

    def delay_s(self, attempt: int, chance: float) -> float:
        """How long to wait before that attempt (1 is the first); `chance` is drawn from 0 to 1."""
        doubled = self.first_delay_s * 2.0 ** min(attempt - 1, 60)
        return min(doubled, self.longest_delay_s) * chance


@dataclass(slots=True)
class Attempts:
    """The attempts since a connection was lost."""

    policy: ReconnectPolicy
    lost_at: Monotonic
    count: int = 0

    def next_delay_s(self, now: Monotonic, chance: float) -> float | None:
        """The delay before the next attempt, which is counted; None when enough was tried."""
        delay_s = self.policy.delay_s(self.count + 1, chance)
        if self.count >= self.policy.max_attempts or now + delay_s - self.lost_at > self.policy.max_total_s:
            return None
        self.count += 1
        return delay_s


@dataclass(frozen=True, slots=True)
class RetryRule:
    """Whether errors of this type are worth a new attempt; with one of these codes, in this phase, if any are named."""

    error_type: type[ClientError]
    is_worth_it: bool
    why: str
    close_codes: tuple[int, ...] = ()
    http_statuses: tuple[int, ...] = ()
    phase: Phase | None = None

    def matches(self, error: ClientError) -> bool:
        if not isinstance(error, self.error_type) or self.phase not in (None, error.context.phase):
            return False
        codes = (*self.close_codes, *self.http_statuses)
        return (
            not codes
            or error.context.close_code in self.close_codes
            or (error.context.http_status in self.http_statuses)
        )


# 1002 among the accidents: Caddy before 2.6.3 says good-bye to a server without a mask when it is given a new
# configuration, and hands on what the server answers to that.
RETRY_RULES = (
    RetryRule(AuthError, False, "the credential stays wrong"),
    RetryRule(RequestError, False, "the parameters, or what was sent, stay wrong"),
    RetryRule(TlsError, False, "a certificate doesn't become trusted by itself"),
    RetryRule(SessionLost, True, "a new session can be given the audio again"),
    RetryRule(ProtocolViolation, False, "another attempt reaches the same program"),
    RetryRule(NetworkError, False, "there is no such service", http_statuses=(400, 404, 405, 410, 426, 501)),
    RetryRule(SilentServer, False, "it was given its time to end", phase=Phase.ENDING),
    RetryRule(NetworkError, True, "refused, cut, unreachable or silent: it may come back"),
    RetryRule(
        ServerError,
        True,
        "an internal error, a restart, or not ready yet",
        close_codes=(1001, 1002, 1006, 1011, 1012, 1013, 1014, 3005),
        http_statuses=(500, 502, 503, 504),
    ),
    RetryRule(ServerError, True, "too many sessions: a place becomes free, perhaps our own", close_codes=(3009,)),
    RetryRule(ServerError, True, "too many new sessions: in a minute there may be another", close_codes=(1008,)),
    RetryRule(ServerError, True, "the longest session is over; another one goes on", close_codes=(3008,)),
    RetryRule(ServerError, False, "the server ended the session on purpose"),
    RetryRule(ClientError, False, "nothing that a connection could mend"),
)
"""First match decides."""


def is_worth_retrying(error: ClientError) -> bool:
    """A new attempt may succeed."""
    return next(rule for rule in RETRY_RULES if rule.matches(error)).is_worth_it
