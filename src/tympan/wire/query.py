"""The fields of a query string, read by a table of parameters. PURE: standard library and `core` only.

Unknown names are ignored. Of names given more than once the last counts, except in lists. A newer name
wins over its older aliases, whose values aren't looked at then.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from tympan.core.errors import BadParameter
from tympan.wire.parameter import Parameter, State

T = TypeVar("T")

_MAX_FIELDS = 1_000


class Given:
    """The fields of one query, for a session of that profile where the version has profiles.

    Raises:
        BadParameter: too many of them.
    """

    def __init__(self, query: str, *, is_strict: bool, profile: str | None = None) -> None:
        self._fields = _fields(query)
        self._profile = profile
        self.is_strict = is_strict

    def value(self, parameter: Parameter[T], /) -> T | None:
        """The value of a parameter, None when it isn't given or the profile doesn't know it.

        Raises:
            BadParameter: it can't be used.
        """
        return self._checked(parameter) if parameter.applies_to(self._profile) else None

    def check_all(self, parameters: Iterable[Parameter[Any]]) -> tuple[str, ...]:
        """Check every field that the table knows; returns the names of those without effect.

        Raises:
            BadParameter: one can't be used.
        """
        given = [parameter for parameter in parameters if self._checked(parameter) is not None]
        return tuple(parameter.name for parameter in given if not self._has_effect(parameter))

    def _checked(self, parameter: Parameter[T]) -> T | None:
        for name in parameter.names:
            if name in self._fields:
                texts = self._fields[name]
                return parameter.parse(name, texts, is_strict=self.is_strict, profile=self._profile)
        return None

    def _has_effect(self, parameter: Parameter[Any]) -> bool:
        return parameter.state is not State.WITHOUT_EFFECT and parameter.applies_to(self._profile)


def _fields(query: str) -> dict[str, list[str]]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise BadParameter("query", f"more than {_MAX_FIELDS} fields") from None
    fields: dict[str, list[str]] = {}
    for name, text in pairs:
        fields.setdefault(name, []).append(text)
    return fields
