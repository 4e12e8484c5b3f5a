"""The outbox of a session that may be resumed: what was taken is kept until the client says that it came.

No partial is replaced by the next one, so that every connection is told the same messages by the same numbers. The
policy is that of `core.kept_messages`.
"""

from __future__ import annotations

from tympan.core.kept_messages import KeptMessages
from tympan.server.outbox import Outbox


class KeptOutbox(Outbox):
    """A queue with one reader at a time, which can be turned back."""

    def __init__(self, messages: KeptMessages | None = None) -> None:
        super().__init__()
        self._messages = messages or KeptMessages()

    @property
    def is_overfull(self) -> bool:
        """What this reader had to be told is forgotten; the next one may have come further."""
        return self._messages.is_broken

    @property
    def kept_bytes(self) -> int:
        """Characters of the messages kept."""
        return self._messages.kept_bytes

    def put(self, text: str, *, is_partial: bool = False) -> None:
        """Add a message. After `finish` it is ignored."""
        if not self._is_finished:
            self._messages.put(text)
            self._changed.set()

    def abandon(self) -> None:
        """Nobody reads any more, nor comes back. Idempotent."""
        self._messages = KeptMessages(max_bytes=0)
        self.finish()

    def take(self) -> str | None:
        """The next message; None when none waits."""
        return self._messages.take()

    def acknowledge(self, count: int) -> None:
        """The client has received the first `count` messages.

        Raises:
            BadParameter: so many were never sent.
        """
        self._messages.acknowledge(count)

    def rewind(self, count: int) -> None:
        """The next reader's client has received the first `count` messages.

        Raises:
            NotResumable: so many were never sent, or what follows them isn't kept any more.
        """
        self._messages.rewind(count)

    @property
    def _has_waiting(self) -> bool:
        return not self._messages.is_taken
