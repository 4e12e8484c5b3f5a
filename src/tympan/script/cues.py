"""Cues: what a test double does beside what its engine hears, and the moment for it. PURE: standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class At(StrEnum):
    """A moment that has a name."""

    BEGIN = "begin"
    """Before `Begin` is said."""
    TERMINATE = "terminate"
    """The client's Terminate has come; its last words haven't been told."""
    TERMINATION = "termination"
    """All words have been told; `Termination` would be next."""


@dataclass(frozen=True, slots=True)
class AfterAudio:
    """The chunk has come that completes so much audio, and all that was heard in it has been told.

    `or_at_end`: at Terminate at the latest.
    """

    audio_ms: int
    or_at_end: bool = False


@dataclass(frozen=True, slots=True)
class AfterMessages:
    """So many messages have been said to the client; `Begin` is the first."""

    count: int


Moment = At | AfterAudio | AfterMessages


@dataclass(frozen=True, slots=True)
class Say:
    """Send this text message, whatever it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Say nothing for so long, then go on."""

    duration_ms: int


@dataclass(frozen=True, slots=True)
class FallSilent:
    """Never say anything more, and hear nothing; the connection stays open."""


@dataclass(frozen=True, slots=True)
class Close:
    """Say an `Error` message, unless the text is empty, and close with this code. The session is over."""

    code: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Drop:
    """Cut the connection without a close, as a broken network does. A session that may be resumed is kept."""


Act = Say | Pause | FallSilent | Close | Drop


@dataclass(frozen=True, slots=True)
class Cue:
    """Do this once, then."""

    moment: Moment
    act: Act
