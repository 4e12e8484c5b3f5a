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


def note_of_loss(loss: AudioLoss) -> str:
    """What was lost between a microphone and its listener."""
    parts = []
    if loss.dropped_ms:
        parts.append(f"{loss.dropped_ms / 1000:.1f} s of audio were dropped")
    if loss.device_overflows:
        parts.append(f"the microphone lost some audio ({loss.device_overflows} times so far)")
    return f"this machine is too slow: {', '.join(parts)}"
