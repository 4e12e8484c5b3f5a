"""Outsiders: what others than its client are told of one session: the receiver of its webhook, and a language model.

It holds no rules. What they do, or don't, holds up neither the session nor its client.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tympan.server.outbound.finals import Finals
from tympan.server.outbound.language_model import Questions

if TYPE_CHECKING:
    from tympan.server.gateway import Gateway
    from tympan.server.versions import Asked


class Outsiders:
    """Those of one session, often none. `tell` sends its client an answer of the model; `on_idle` is told when none is
    due any more."""

    def __init__(
        self,
        gateway: Gateway,
        asked: Asked,
        session_id: str,
        tell: Callable[[str], None],
        on_idle: Callable[[], None],
    ) -> None:
        self._deliveries = gateway.deliveries
        self._session_id = session_id
        self._webhook = asked.webhook
        self._finals = Finals()
        self._questions: Questions | None = None
        if gateway.language_model is not None and asked.prompt is not None:
            self._questions = Questions(gateway.language_model, asked.prompt, session_id, tell, on_idle)

    @property
    def want_finals(self) -> bool:
        """The turns matter to somebody although the client is gone."""
        return self._webhook is not None

    @property
    def owe_answers(self) -> bool:
        """Something is due to the client."""
        return self._questions is not None and self._questions.count > 0

    def receive_final(self, text: str) -> None:
        """A turn is finished; this is its last message."""
        if self._webhook is not None:
            self._finals.receive_final(text)
        if self._questions is not None:
            self._questions.ask(text)

    def stop_asking(self) -> None:
        """Nobody waits for answers any more. Idempotent."""
        if self._questions is not None:
            self._questions.close()
            self._questions = None

    def close(self) -> None:
        """The session is over: post what there is. Once."""
        self.stop_asking()
        if self._webhook is not None:
            self._deliveries.send(self._webhook, self._session_id, self._finals)
