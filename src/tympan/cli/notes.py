"""What happens beside the words of a conversation, in a line for its user. Pure: no I/O."""

from __future__ import annotations

from tympan.client.events import Event, Reconnected, Reconnecting
from tympan.client.microphone import AudioLoss
from tympan.wire.v3.messages import ServerMessage, ServerWarning

GAVE_UP = "the last words did not come in time; what was heard before them is kept"


def note_of(event: Event | ServerMessage) -> str | None:
    """What a user should know of an event; None when it is nothing out of the ordinary."""
    match event:
        case Reconnecting(delay_s=delay_s, error=error):
            return f"{error}; trying again in {delay_s:.1f} s"
        case Reconnected(missing_ms=0):
            return "the connection is back; nothing was lost"
        case Reconnected(missing_ms=missing_ms):
            return f"the connection is back; {missing_ms / 1000:.1f} s of audio were lost"
        case ServerWarning(warning=warning):
            return f"the server warns: {warning}"
        case _:
            return None


class LossNotes:
    """Tells of lost audio: at once, then whenever it has doubled, and how much it was in the end."""

    def __init__(self) -> None:
        self._loss = self._told = AudioLoss()

    def receive_loss(self, loss: AudioLoss) -> str | None:
        """So much was lost since the beginning."""
        self._loss = loss
        has_doubled = (
            loss.dropped_ms > 2 * self._told.dropped_ms or loss.device_overflows > 2 * self._told.device_overflows
        )
        return self.close() if has_doubled else None

    def close(self) -> str | None:
        """What hasn't been told yet. Idempotent."""
        if self._loss == self._told:
            return None
        self._told = self._loss
        parts = []
        if self._loss.dropped_ms:
            parts.append(f"{self._loss.dropped_ms / 1000:.1f} s of audio were dropped")
        if self._loss.device_overflows:
            parts.append(f"the microphone lost some audio (so far {self._loss.device_overflows} times)")
        return f"this machine is too slow: {', '.join(parts)}"
