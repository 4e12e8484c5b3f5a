"""A programme: what a test double plays, one session after the other. PURE: standard library and `core` only."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from tympan.script.cues import Cue
from tympan.script.timeline import Script


class AfterLast(StrEnum):
    """What is played when every session has been played."""

    REPEAT = "repeat"
    """The last one, again and again."""
    START_OVER = "start over"
    """All of them again."""


@dataclass(frozen=True, slots=True)
class SessionScript:
    """One session: what is heard in its audio, and what else happens."""

    timeline: Script = field(default_factory=Script)
    cues: tuple[Cue, ...] = ()


@dataclass(frozen=True, slots=True)
class Programme:
    """All sessions, in order; at least one."""

    sessions: tuple[SessionScript, ...] = (SessionScript(),)
    after_last: AfterLast = AfterLast.REPEAT

    def session(self, index: int) -> SessionScript:
        """What the session of that number plays, from 0."""
        if self.after_last is AfterLast.START_OVER:
            return self.sessions[index % len(self.sessions)]
        return self.sessions[min(index, len(self.sessions) - 1)]


class Player:
    """Where a programme stands: sessions take their scripts in the order in which they begin.

    Whoever opens a session's stream calls `begin_next`; who holds its connection reads `current` directly after.
    """

    def __init__(self, programme: Programme) -> None:
        self._programme = programme
        self._begun = 0
        self.current = SessionScript()

    @property
    def has_begun(self) -> bool:
        """A session has begun since the programme was last replaced."""
        return self._begun > 0

    def replace(self, programme: Programme) -> None:
        """The next session plays the first of these."""
        self._programme = programme
        self._begun = 0

    def begin_next(self) -> SessionScript:
        """The next session's script."""
        self.current = self._programme.session(self._begun)
        self._begun += 1
        return self.current
