"""Options of engines: text by name, from settings or a command line. Standard library only."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tympan.core.errors import SettingsError


def check_options(engine: str, options: Mapping[str, str], known: Collection[str] = ()) -> None:
    """Refuse options that the engine doesn't have: none is accepted without effect.

    Raises:
        SettingsError: names the first such option, and those that there are.
    """
    for name in options:
        if name not in known:
            there_are = f"there are: {', '.join(known)}" if known else "it has none"
            raise SettingsError(f"engine {engine!r} has no option {name!r}; {there_are}")
