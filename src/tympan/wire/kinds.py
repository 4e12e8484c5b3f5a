"""What values a parameter may have. PURE: standard library and `core` only.

A kind parses the text(s) of a query string and checks a value, wherever it came from. A value that can't
be understood is always a `BadParameter`. A number outside its documented range is clamped, or refused
when the session is strict; where clamping would change what the audio means, it is always refused.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tympan.core.errors import BadParameter, MalformedMessage
from tympan.wire.codec import parse_json

T = TypeVar("T")

_MAX_ECHO_CHARS = 50
_TRUE = frozenset({"true", "1", "yes"})
_FALSE = frozenset({"false", "0", "no"})
_OUT_OF_RANGE_NOTE = "a number out of range, else clamped"
_INTEGER = re.compile(r"[+-]?[0-9]{1,15}")


class Kind(ABC, Generic[T]):
    """A type of value with its limits."""

    @property
    @abstractmethod
    def description(self) -> str:
        """Type and limits, for the protocol reference."""

    @property
    def strict_note(self) -> str:
        """What a strict session refuses and another doesn't, for the compatibility report."""
        return ""

    @abstractmethod
    def parse(self, name: str, texts: Sequence[str]) -> T:
        """The value of a parameter given in the query; `texts` has one item for each time it was given.

        Raises:
            BadParameter: the text isn't of this kind.
        """

    def check_spelling(self, name: str, texts: Sequence[str]) -> None:
        """Look at a text that is understood as the hosted service does, which understands fewer.

        Raises:
            BadParameter: it isn't understood there.
        """

    def check(self, name: str, value: T, *, is_strict: bool) -> T:
        """The value within its limits.

        Raises:
            BadParameter: it is outside, and not clamped.
        """
        return value


@dataclass(frozen=True, slots=True)
class Flag(Kind[bool]):
    """True or false, in any spelling that clients use."""

    @property
    def description(self) -> str:
        return "bool"

    def parse(self, name: str, texts: Sequence[str]) -> bool:
        text = texts[-1].strip().lower()
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        raise BadParameter(name, f"{quoted(texts[-1])} is not a boolean; expected true or false")


@dataclass(frozen=True, slots=True)
class Integer(Kind[int]):
    """A whole number. `below` is the reason given instead of clamping, likewise `above`; `is_clamped`: by the hosted
    service too."""

    low: int
    high: int
    unit: str = ""
    below: str | None = None
    above: str | None = None
    is_clamped: bool = False

    @property
    def description(self) -> str:
        return f"int, {self.low:,} to {self.high:,} {self.unit}".rstrip()

    @property
    def strict_note(self) -> str:
        is_mended = not (self.is_clamped or (self.below and self.above))
        return _OUT_OF_RANGE_NOTE if is_mended else ""

    def parse(self, name: str, texts: Sequence[str]) -> int:
        text = texts[-1].strip()
        if not _INTEGER.fullmatch(text):
            raise BadParameter(name, f"{quoted(texts[-1])} is not an integer")
        return int(text)

    def check(self, name: str, value: int, *, is_strict: bool) -> int:
        refusal = self.below if value < self.low else self.above
        clamped = min(max(value, self.low), self.high)
        if clamped != value and (refusal or (is_strict and not self.is_clamped)):
            raise BadParameter(name, refusal or _out_of_range(self.low, self.high, self.unit))
        return clamped


SAMPLE_RATE_HZ = Integer(
    8_000,
    96_000,
    "Hz",
    below="sample_rate must be at least 8,000 Hz",
    above="sample_rate must be at most 96,000 Hz",
)
"""Of the audio, in both protocols; never clamped."""


@dataclass(frozen=True, slots=True)
class Number(Kind[float]):
    """A finite number."""

    low: float
    high: float

    @property
    def description(self) -> str:
        return f"float, {self.low:g} to {self.high:g}"

    @property
    def strict_note(self) -> str:
        return _OUT_OF_RANGE_NOTE

    def parse(self, name: str, texts: Sequence[str]) -> float:
        try:
            value = float(texts[-1])
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise BadParameter(name, f"{quoted(texts[-1])} is not a number")
        return value

    def check(self, name: str, value: float, *, is_strict: bool) -> float:
        clamped = min(max(value, self.low), self.high)
        if clamped != value and is_strict:
            raise BadParameter(name, _out_of_range(self.low, self.high))
        return clamped


@dataclass(frozen=True, slots=True)
class Choice(Kind[str]):
    """One of a few words. `type_name` is what the error calls it."""

    values: tuple[str, ...]
    type_name: str

    @property
    def description(self) -> str:
        return "one of " + ", ".join(f"`{value}`" for value in self.values)

    def parse(self, name: str, texts: Sequence[str]) -> str:
        return texts[-1]

    def check(self, name: str, value: str, *, is_strict: bool) -> str:
        if value not in self.values:
            raise BadParameter(name, f"{quoted(value)} is not a valid {self.type_name}")
        return value


@dataclass(frozen=True, slots=True)
class Text(Kind[str]):
    """Free text."""

    max_chars: int | None = None

    @property
    def description(self) -> str:
        return "str" if self.max_chars is None else f"str, at most {self.max_chars:,} characters"

    def parse(self, name: str, texts: Sequence[str]) -> str:
        return texts[-1]

    def check(self, name: str, value: str, *, is_strict: bool) -> str:
        if self.max_chars is not None and len(value) > self.max_chars:
            raise BadParameter(name, f"Max {self.max_chars} characters, got {len(value)}")
        return value


@dataclass(frozen=True, slots=True)
class Strings(Kind[tuple[str, ...]]):
    """A list: a JSON array of strings, the name repeated, or one text with commas.

    `allowed` are the values that items may have (None: any), `item_name` what the error calls one.
    """

    max_items: int
    allowed: frozenset[str] | None = None
    item_name: str = "item"

    @property
    def description(self) -> str:
        return f"list of str, at most {self.max_items}"

    @property
    def strict_note(self) -> str:
        return "a list that isn't one JSON array"

    def parse(self, name: str, texts: Sequence[str]) -> tuple[str, ...]:
        items: list[str] = []
        for text in texts:
            if text.lstrip().startswith("["):
                items += _json_strings(name, text)
            elif len(texts) == 1:
                items += text.split(",")
            else:
                items.append(text)
        return tuple(item.strip() for item in items if item.strip())

    def check_spelling(self, name: str, texts: Sequence[str]) -> None:
        if len(texts) > 1 or (texts[0].strip() and not texts[0].lstrip().startswith("[")):
            raise BadParameter(name, "Invalid JSON array")

    def check(self, name: str, value: tuple[str, ...], *, is_strict: bool) -> tuple[str, ...]:
        if len(value) > self.max_items:
            raise BadParameter(name, f"Max {self.max_items} items")
        for index, item in enumerate(value):
            if self.allowed is not None and item not in self.allowed:
                raise BadParameter(f"{name}.{index}", f"{quoted(item)} is not a valid {self.item_name}")
        return value


@dataclass(frozen=True, slots=True)
class JsonObject(Kind[dict[str, Any]]):
    """A JSON object; nothing here reads what is in it."""

    @property
    def description(self) -> str:
        return "JSON object"

    def parse(self, name: str, texts: Sequence[str]) -> dict[str, Any]:
        value = _json(texts[-1])
        if not isinstance(value, dict):
            raise BadParameter(name, "Invalid JSON object")
        return value


def quoted(text: str) -> str:
    """A client's text as an error message may show it: cut short, control characters escaped."""
    shown = text if len(text) <= _MAX_ECHO_CHARS else text[:_MAX_ECHO_CHARS] + "…"
    return repr(shown)


def _json_strings(name: str, text: str) -> list[str]:
    value = _json(text)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadParameter(name, "Invalid JSON array")
    return value


def _json(text: str) -> Any:
    """The value of a JSON text; None when it has none, as for `null`."""
    try:
        return parse_json(text)
    except MalformedMessage:
        return None


def _out_of_range(low: float, high: float, unit: str = "") -> str:
    return f"must be between {low:,} and {high:,} {unit}".rstrip()
