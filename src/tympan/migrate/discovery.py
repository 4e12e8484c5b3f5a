"""Which rules there are: every class in `rules/mNNN_….py`. A new rule is a new file and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules
from typing import Any

from tympan.core.errors import UsageError
from tympan.migrate import rules
from tympan.migrate.rule import Rule

AnyRule = Rule[Any]


@cache
def all_rules() -> tuple[AnyRule, ...]:
    """One of each, in the order of their codes."""
    names = sorted(module.name for module in iter_modules(rules.__path__) if re.match(r"m\d{3}_", module.name))
    return tuple(rule for name in names for rule in _rules_in(name))


def selected_rules(select: Iterable[str], ignore: Iterable[str]) -> tuple[AnyRule, ...]:
    """The rules that are wanted: those selected (none named: all), without those ignored.

    Raises:
        UsageError: no rule has such a code.
    """
    known = {rule.code: rule for rule in all_rules()}
    wanted, unwanted = list(select), list(ignore)
    for code in (*wanted, *unwanted):
        if code not in known:
            raise UsageError(f"no rule {code}; there are {', '.join(known)}")
    return tuple(rule for code, rule in known.items() if (not wanted or code in wanted) and code not in unwanted)


def _rules_in(name: str) -> list[AnyRule]:
    module = import_module(f"{rules.__name__}.{name}")
    return [
        kind()
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, Rule)
        and not isabstract(kind)
        and kind.__module__ == module.__name__
    ]
