"""Deliveries: the webhooks of one server, on their way. Shell round `Backlog`; it holds no rules.

Every delivery ends in one line of the log and one count, whatever becomes of it. The log knows a receiver by host and
port alone.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from importlib.metadata import version
from urllib.parse import urlsplit

from tympan.core.errors import AddressRefused, BadParameter, Unreachable
from tympan.core.units import Monotonic
from tympan.runtime.metrics import Metrics
from tympan.server.config import OutboundConfig
from tympan.server.outbound.attempts import ANSWER_S, Verdict, retry_after_s, verdict_of
from tympan.server.outbound.backlog import MAX_RUNNING, Backlog, Delivery
from tympan.server.outbound.finals import Finals
from tympan.server.outbound.poster import Poster
from tympan.server.outbound.reach import Reach
from tympan.server.outbound.signature import signed_headers
from tympan.wire.v3.webhook import Webhook, webhook_body

logger = logging.getLogger("tympan.server")

DRAIN_S = 2.0
"""For last attempts, when the server stops."""

_DRAIN_POLL_S = 0.02
_MAX_ANSWER_BYTES = 32_768
"""Of an answer only the status and one header matter."""


class Deliveries:
    """Posts what `send` is given, until `drain`. Both are called on the event loop."""

    def __init__(self, config: OutboundConfig, metrics: Metrics, unix_clock: Callable[[], float] = time.time) -> None:
        self._config = config
        self._metrics = metrics
        self._unix_clock = unix_clock
        self._reach = Reach(config.networks)
        self._backlog = Backlog()
        self._poster = Poster(self._reach, max_connections=MAX_RUNNING, max_read_bytes=_MAX_ANSWER_BYTES)
        self._changed = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._has_stopped = False
        metrics.webhooks_waiting.set_function(lambda: self._backlog.count)

    @property
    def count(self) -> int:
        """Deliveries that are neither made nor given up."""
        return self._backlog.count

    def check(self, webhook: Webhook) -> None:
        """Judge what a client asks for, as far as it can be judged at once: names aren't looked up.

        Raises:
            BadParameter: this server will not post there.
        """
        if not self._config.has_webhooks:
            raise BadParameter("webhook_url", "webhooks are turned off on this server; leave it out")
        reason = self._reach.host_refusal(urlsplit(webhook.url).hostname or "")
        if reason is not None:
            raise BadParameter("webhook_url", f"leads to {reason}; the operator may allow it: webhook_networks")

    def send(self, webhook: Webhook, session_id: str, finals: Finals) -> None:
        """A session is over: deliver its finals. Returns at once."""
        now = _now()
        body = webhook_body(session_id, finals.texts)
        delivery = Delivery(session_id, _receiver(webhook), webhook, body, now, now)
        if finals.missing:
            _tell(logging.WARNING, "webhook is cut short", delivery, missing_turns=finals.missing)
        if self._has_stopped:
            self._give_up(delivery, "dropped", "the server stops")
            return
        for dropped in self._backlog.receive_delivery(delivery):
            self._give_up(dropped, "dropped", "too much waits to be delivered")
        self._changed.set()
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())

    async def drain(self, timeout_s: float, is_hurried: Callable[[], bool] = lambda: False) -> None:
        """Attempt everything once more, then stop; what isn't delivered by then is told in the log. Idempotent."""
        self._has_stopped = True
        give_up_at = _now() + timeout_s
        self._backlog.receive_hurry(_now())
        self._changed.set()
        while self._is_worth_waiting(give_up_at) and not is_hurried():
            await asyncio.sleep(_DRAIN_POLL_S)
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.wait((running,))

    def _is_worth_waiting(self, give_up_at: float) -> bool:
        now, deadline = _now(), self._backlog.deadline()
        if self._running is None or self._running.done() or now >= give_up_at:
            return False
        return self._backlog.running_count > 0 or (deadline is not None and deadline < give_up_at)

    async def _run(self) -> None:
        try:
            async with asyncio.TaskGroup() as attempts:
                while True:
                    self._changed.clear()
                    for delivery in self._backlog.advance(_now()):
                        attempts.create_task(self._attempt(delivery))
                    await self._wait()
        finally:
            for delivery in self._backlog.close():
                self._give_up(delivery, "dropped", "the server stops")
            await self._poster.close()

    async def _wait(self) -> None:
        deadline = self._backlog.deadline()
        try:
            async with asyncio.timeout(None if deadline is None else max(0.0, deadline - _now())):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _attempt(self, delivery: Delivery) -> None:
        verdict, why, after_s = await self._post(delivery)
        self._metrics.webhook_attempts.labels(verdict.value).inc()
        match verdict:
            case Verdict.DELIVERED:
                self._backlog.receive_done(delivery)
                self._metrics.webhooks.labels("delivered").inc()
                _tell(logging.INFO, "webhook delivered", delivery)
            case Verdict.REFUSED:
                self._backlog.receive_done(delivery)
                self._give_up(delivery, "refused", why)
            case Verdict.FAILED:
                if self._backlog.receive_failed(delivery, _now(), random.random(), after_s):
                    _tell(logging.INFO, "webhook failed, will be tried again", delivery, why=why)
                else:
                    self._give_up(delivery, "failed", why)
        self._changed.set()

    async def _post(self, delivery: Delivery) -> tuple[Verdict, str, float | None]:
        """One attempt: its verdict, why, and how long the receiver wants to be left alone."""
        webhook = delivery.webhook
        try:
            headers = self._headers(delivery)
            answer = await self._poster.post(webhook.url, headers, delivery.body, timeout_s=ANSWER_S)
        except AddressRefused as error:
            return Verdict.REFUSED, f"{error}; see the setting webhook_networks", None
        except Unreachable as error:
            return Verdict.FAILED, str(error), None
        except Exception:  # the boundary of a delivery: whatever goes wrong in one harms no other
            logger.exception("webhook attempt failed", extra={"session": delivery.session_id})
            return Verdict.FAILED, "internal error", None
        after_s = retry_after_s(answer.retry_after, self._unix_clock())
        return verdict_of(answer.status), f"HTTP {answer.status}", after_s

    def _headers(self, delivery: Delivery) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": f"tympan/{version('tympan')}"}
        if self._config.webhook_key:
            unix_s = int(self._unix_clock())
            headers |= signed_headers(self._config.webhook_key, delivery.session_id, unix_s, delivery.body)
        if delivery.webhook.header is not None:
            name, value = delivery.webhook.header
            headers[name] = value
        return headers

    def _give_up(self, delivery: Delivery, outcome: str, why: str) -> None:
        self._metrics.webhooks.labels(outcome).inc()
        _tell(logging.WARNING, "webhook not delivered", delivery, why=why)


def _tell(level: int, message: str, delivery: Delivery, **fields: object) -> None:
    about = {"session": delivery.session_id, "receiver": delivery.receiver, "attempts": delivery.attempts}
    logger.log(level, message, extra=about | fields)


def _receiver(webhook: Webhook) -> str:
    parts = urlsplit(webhook.url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def _now() -> Monotonic:
    return Monotonic(asyncio.get_running_loop().time())
