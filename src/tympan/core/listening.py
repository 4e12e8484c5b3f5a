"""What comes back over the seam between a session and the engine that listens for it. PURE."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tympan.core.errors import BadAudio, EngineError
from tympan.core.events import TurnEvent
from tympan.core.units import StreamMs

_START = StreamMs(0)


@dataclass(frozen=True, slots=True)
class Heard:
    """Audio was judged up to `judged_until_ms`, and this is what it said.

    Before `settled_ms` nothing was spoken that isn't told in final words now (see `core.settled`).
    `is_finished` is true once, on the last one: everything before a `Finish` has been told.
    `speech_probability` is the highest (0 to 1) of the audio since the one before.
    """

    judged_until_ms: StreamMs
    events: tuple[TurnEvent, ...] = ()
    is_finished: bool = False
    settled_ms: StreamMs = _START
    speech_probability: float = 0.0

    def after(self, untold: Heard | None) -> Heard:
        """The same, told in place of an earlier one without events too."""
        if untold is None or untold.speech_probability <= self.speech_probability:
            return self
        return replace(self, speech_probability=untold.speech_probability)


@dataclass(frozen=True, slots=True)
class ListeningFailed:
    """The engine can't go on with this stream, or can't hear the client's audio; nothing follows."""

    error: EngineError | BadAudio


ListenerOutput = Heard | ListeningFailed
