"""What a table of connection parameters is made of, in any version. PURE: standard library and `core` only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from tympan.core.errors import BadParameter
from tympan.wire.kinds import Kind

T = TypeVar("T")


class State(StrEnum):
    """What this server does with a parameter, a message or a close code, beside the hosted service."""

    SAME = "same"
    """As the hosted service does."""
    EXTENSION = "extension"
    """Ours alone."""
    WITHOUT_EFFECT = "accepted without effect"
    REFUSED = "refused"
    """Not available yet, and too important to ignore."""
    NOT_YET = "not yet"
    """The hosted service sends it, this server doesn't."""
    NEVER = "never sent"
    """It tells of what this server doesn't have."""


@dataclass(frozen=True, slots=True)
class Parameter(Generic[T]):
    """One row. `default` and `summary` are for the reference, as are `difference`, to the hosted service where there
    is one, and `strict`, what only a strict server refuses; aliases are older names, the first given wins.

    `objection` says why a value can't be served, or None. Where `profiles` are named, values have an effect in
    sessions of those alone; elsewhere they are checked and ignored, or, when strict and `is_refused_elsewhere`,
    refused. `u3_default` is where the U3 profile's default is another.
    """

    name: str
    kind: Kind[T]
    state: State
    summary: str
    default: str = ""
    u3_default: str = ""
    aliases: tuple[str, ...] = ()
    is_updatable: bool = False
    profiles: frozenset[str] | None = None
    is_refused_elsewhere: bool = False
    objection: Callable[[T], str | None] | None = None
    difference: str = ""
    strict: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)

    @property
    def strict_note(self) -> str:
        """What a strict server refuses and another doesn't; empty where there is nothing."""
        elsewhere = "with a model that isn't U3" if self.is_refused_elsewhere else ""
        return "; ".join(note for note in (self.strict, self.kind.strict_note, elsewhere) if note)

    def applies_to(self, profile: str | None) -> bool:
        """Whether sessions of that profile know the parameter; None: of any."""
        return self.profiles is None or profile is None or profile in self.profiles

    def parse(self, name: str, texts: Sequence[str], *, is_strict: bool, profile: str | None = None) -> T:
        """The value given in a query under this name, within its limits.

        Raises:
            BadParameter: it can't be used.
        """
        if is_strict and name == self.name:  # an older name may have another spelling
            self.kind.check_spelling(name, texts)
        return self.check(name, self.kind.parse(name, texts), is_strict=is_strict, profile=profile)

    def check(self, name: str, value: T, *, is_strict: bool, profile: str | None = None) -> T:
        """The value within its limits.

        Raises:
            BadParameter: it can't be used.
        """
        checked = self.kind.check(name, value, is_strict=is_strict)
        reason = self.objection(checked) if self.objection else None
        if reason is None and is_strict and self.is_refused_elsewhere and not self.applies_to(profile):
            reason = "not supported by this speech model"
        if reason is not None:
            raise BadParameter(name, reason)
        return checked
