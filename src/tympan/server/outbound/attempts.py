"""What an answer to a delivery means, and when to try again. PURE: time and chance are arguments.

The hosted service wants an answer of the 2xx kind within 10 s, tries up to ten times in all, and gives up at any 4xx
(its documentation, "Webhooks for streaming speech-to-text"). So does this, but that a receiver which says "later" (408,
425, 429) is believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum

ANSWER_S = 10.0
"""Time for one attempt, from the name lookup to the status line."""

_LATER = frozenset({408, 425, 429})
_LONGEST_RETRY_AFTER_CHARS = 40


class Verdict(Enum):
    """What became of one attempt."""

    DELIVERED = "delivered"
    FAILED = "failed"
    """Worth another attempt."""
    REFUSED = "refused"
    """The receiver doesn't want it, or mustn't have it: another attempt would be told the same."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long to try. Delays double, between the half and the whole of that, so that what failed
    together isn't tried again together."""

    max_attempts: int = 10
    first_delay_s: float = 1
    longest_delay_s: float = 300
    longest_retry_after_s: float = 600
    give_up_after_s: float = 3600

    def delay_s(self, attempts: int, chance: float, retry_after_s: float | None = None) -> float:
        """How long to wait after so many attempts; `chance` is drawn from 0 to 1. What the receiver asks for counts
        where it is longer, up to a limit."""
        doubled_s = min(self.first_delay_s * 2.0 ** min(attempts - 1, 60), self.longest_delay_s)
        return max(doubled_s * (1 + chance) / 2, min(retry_after_s or 0, self.longest_retry_after_s))

    def has_next(self, attempts: int, age_s: float) -> bool:
        """Whether to try again after so many attempts, when the next one would be made at that age."""
        return attempts < self.max_attempts and age_s <= self.give_up_after_s


def verdict_of(status: int) -> Verdict:
    """What an HTTP status says. Redirects aren't followed: they could lead anywhere."""
    if 200 <= status < 300:
        return Verdict.DELIVERED
    return Verdict.FAILED if status >= 500 or status in _LATER else Verdict.REFUSED


def retry_after_s(value: str | None, unix_s: float) -> float | None:
    """What a `Retry-After` header asks for at that time, in seconds or as a date; None for none or nonsense."""
    text = (value or "").strip()
    if not text or len(text) > _LONGEST_RETRY_AFTER_CHARS:
        return None
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - unix_s)
    except (ValueError, OverflowError):
        return None
