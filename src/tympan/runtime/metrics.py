"""Every metric, in one place, in a registry of its own. It may import `core` only.

Labels have few values by construction: close codes and nothing that a client may choose.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from tympan.core.errors import (
    NotResumable,
    ProtocolError,
    TooManyNewSessions,
    TooManySessions,
    TooManySessionsOfKey,
    TympanError,
    Unauthorized,
)

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_V2_CODES = frozenset({4000, 4001, 4008, 4029, *range(4031, 4034), *range(4100, 4105)})
_KNOWN_CODES = frozenset({*range(1000, 1016), *range(3005, 3010), 4004, 4103}) | _V2_CODES
"""RFC 6455's, the service's own of v3 and v2, and those of the resume extension. A client may close with any of
2,000 others."""

REFUSALS: tuple[tuple[type[TympanError], str], ...] = (
    (Unauthorized, "credential"),
    (ProtocolError, "parameter"),
    (TooManySessionsOfKey, "key_sessions"),
    (TooManyNewSessions, "key_rate"),
    (TooManySessions, "server_sessions"),
    (NotResumable, "not_resumable"),
    (TympanError, "other"),
)
"""What refusals are counted as; first match wins."""


def refusal_reason(error: TympanError) -> str:
    """What a connection is counted as that is refused for this reason."""
    return next(reason for error_type, reason in REFUSALS if isinstance(error, error_type))


class Metrics:
    """Counters of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.sessions_active = Gauge("tympan_sessions_active", "Sessions that run now", registry=self.registry)
        self.sessions_kept = Gauge(
            "tympan_sessions_kept",
            "Of them, sessions whose client was cut off and may come back",
            registry=self.registry,
        )
        self.resumes = Counter(
            "tympan_resumes_total",
            "Connections that wanted to go on with a kept session, by outcome: resumed or refused",
            ["outcome"],
            registry=self.registry,
        )
        self.sessions_refused = Counter(
            "tympan_sessions_refused_total",
            f"Connections refused before a session began or went on, by reason: {', '.join(r for _, r in REFUSALS)}",
            ["reason"],
            registry=self.registry,
        )
        self.connections_ended = Counter(
            "tympan_connections_ended_total",
            "WebSocket connections ended or refused, by close code (1006: vanished; other: a code of the client's own)",
            ["close_code"],
            registry=self.registry,
        )
        self.audio_received = Counter(
            "tympan_audio_received_seconds_total",
            "Seconds of audio in sessions that ended",
            registry=self.registry,
        )
        self.turns = Counter("tympan_turns_total", "Turns in sessions that ended", registry=self.registry)
        self.backlog_max = Gauge(
            "tympan_backlog_seconds",
            "Audio that waits to be judged, where most does; grows when the server is too slow",
            registry=self.registry,
        )
        self._add_outbound()

    def _add_outbound(self) -> None:
        self.webhooks = Counter(
            "tympan_webhooks_total",
            "Webhooks by what became of them: delivered; refused by the receiver, or for its address; failed in every "
            "attempt; dropped, for too much waited or the server stopped",
            ["outcome"],
            registry=self.registry,
        )
        self.webhook_attempts = Counter(
            "tympan_webhook_attempts_total",
            "Attempts to deliver one, by outcome: delivered, failed or refused",
            ["outcome"],
            registry=self.registry,
        )
        self.webhooks_waiting = Gauge(
            "tympan_webhooks_waiting", "Webhooks that are neither delivered nor given up", registry=self.registry
        )
        self.llm_questions = Counter(
            "tympan_llm_questions_total",
            "Questions to the language model, by outcome: answered, failed, or dropped, for too many waited or the "
            "session was over",
            ["outcome"],
            registry=self.registry,
        )
        self.llm_seconds = Histogram(
            "tympan_llm_seconds",
            "Time from the end of a turn to the language model's answer",
            buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32),
            registry=self.registry,
        )

    def count_ending(self, close_code: int) -> None:
        """A connection ended, or was refused."""
        label = str(close_code) if close_code in _KNOWN_CODES else "other"
        self.connections_ended.labels(label).inc()

    def count_refusal(self, error: TympanError) -> None:
        """A connection was refused for this reason, before its session began or went on."""
        self.sessions_refused.labels(refusal_reason(error)).inc()

    def render(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self.registry)
