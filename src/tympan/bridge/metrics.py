"""Every metric of a bridge, in one place, in a registry of its own.

Names begin otherwise than a server's, so that a sum over both counts no session twice. Labels have few values by
construction: nothing that a client or the service may choose.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from tympan.client.errors import AuthError, ClientError, NetworkError, ServerError
from tympan.client.events import Continuation
from tympan.core.errors import ServerStopping, SessionExpired, TympanError
from tympan.runtime.metrics import refusal_reason
from tympan.wire.close_codes import UPSTREAM_EXPIRED, UPSTREAM_FULL


class Ended(StrEnum):
    """Why a session was over; the value is the metric's label."""

    FINISHED = "finished"
    CLIENT_LEFT = "client_left"
    CLIENT_SLOW = "client_slow"
    CLIENT_ERROR = "client_error"
    EXPIRED = "expired"
    STOPPED = "stopped"
    SERVICE_KEY = "service_key"
    SERVICE_FULL = "service_full"
    SERVICE_UNREACHABLE = "service_unreachable"
    SERVICE_ERROR = "service_error"
    INTERNAL_ERROR = "internal_error"


_MEANING = MappingProxyType(
    {
        Ended.FINISHED: "as the client asked",
        Ended.CLIENT_LEFT: "or vanished",
        Ended.CLIENT_SLOW: "it didn't read what it was told",
        Ended.CLIENT_ERROR: "it said what can't be used",
        Ended.EXPIRED: "the longest session of the token or the service",
        Ended.STOPPED: "the bridge was",
        Ended.SERVICE_KEY: "it refused the bridge's",
        Ended.SERVICE_FULL: "it has no place, or takes no more for now",
        Ended.SERVICE_UNREACHABLE: "or lost and not reached again",
        Ended.SERVICE_ERROR: "it refused or failed",
        Ended.INTERNAL_ERROR: "the bridge failed",
    }
)

_ENDED: tuple[tuple[type[Exception], tuple[int, ...], Ended], ...] = (
    (ServerError, (UPSTREAM_EXPIRED,), Ended.EXPIRED),
    (ServerError, UPSTREAM_FULL, Ended.SERVICE_FULL),
    (AuthError, (), Ended.SERVICE_KEY),
    (NetworkError, (), Ended.SERVICE_UNREACHABLE),
    (ClientError, (), Ended.SERVICE_ERROR),
    (SessionExpired, (), Ended.EXPIRED),
    (ServerStopping, (), Ended.STOPPED),
    (TympanError, (), Ended.CLIENT_ERROR),
    (Exception, (), Ended.INTERNAL_ERROR),
)
"""What ended a session, by the close code of the service where codes are named; first match wins."""


def ended_by(cause: Exception) -> Ended:
    """What a session is counted as that ended for this reason."""
    code = cause.context.close_code if isinstance(cause, ClientError) else None
    return next(
        ended for error_type, codes, ended in _ENDED if isinstance(cause, error_type) and (not codes or code in codes)
    )


class BridgeMetrics:
    """Counters of one bridge."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.sessions_active = Gauge(
            "tympan_bridge_sessions_active",
            "Sessions that run now, those that wait for the service to begin among them",
            registry=self.registry,
        )
        self.sessions_begun = Counter(
            "tympan_bridge_sessions_begun_total", "Sessions that the service began", registry=self.registry
        )
        self.sessions_ended = Counter(
            "tympan_bridge_sessions_ended_total",
            "Sessions that are over, whether or not the service began them, by reason: "
            + ", ".join(f"{ended} ({_MEANING[ended]})" for ended in Ended),
            ["reason"],
            registry=self.registry,
        )
        self.sessions_refused = Counter(
            "tympan_bridge_sessions_refused_total",
            "Connections that the bridge refused without asking the service, by reason: credential, parameter, "
            "server_sessions (its own are taken), other",
            ["reason"],
            registry=self.registry,
        )
        self.messages = Counter(
            "tympan_bridge_messages_total",
            "Messages of v2 each way, by direction: from_client or to_client",
            ["direction"],
            registry=self.registry,
        )
        self.audio_received = Counter(
            "tympan_bridge_audio_received_seconds_total",
            "Seconds of audio in sessions that ended",
            registry=self.registry,
        )
        self._add_upstream()

    def _add_upstream(self) -> None:
        self.connect_seconds = Histogram(
            "tympan_bridge_upstream_connect_seconds",
            "Time from calling the service to its Begin, first connections of sessions that began",
            buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=self.registry,
        )
        self.reconnect_attempts = Counter(
            "tympan_bridge_upstream_reconnect_attempts_total",
            "Attempts to reach the service again after a connection was lost",
            registry=self.registry,
        )
        self.reconnects = Counter(
            "tympan_bridge_upstream_reconnects_total",
            f"Sessions that went on over another connection, by how: {', '.join(Continuation)} (a new session of the "
            "service was given the audio that had no final word)",
            ["how"],
            registry=self.registry,
        )
        self.audio_missing = Counter(
            "tympan_bridge_upstream_audio_missing_seconds_total",
            "Seconds of audio that had grown too old to be given to the service again",
            registry=self.registry,
        )

    def count_refusal(self, error: TympanError) -> None:
        """A connection was refused for this reason."""
        self.sessions_refused.labels(refusal_reason(error)).inc()

    def render(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self.registry)
