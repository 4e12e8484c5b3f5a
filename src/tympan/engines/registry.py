"""Engines by name; a module is imported only when its engine is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from tympan.core.errors import ModelError
from tympan.engines.base import Recognizer, RecognizerFactory

ENGINES: Mapping[str, str] = {
    "moonshine": "tympan.engines.moonshine.recognizer:load",
    "scripted": "tympan.engines.scripted:load",
}

DEFAULT_ENGINE = "moonshine"

SCRIPT_ENGINE = "scripted"
"""The one that plays a script."""


def load(name: str, model: str | None = None, options: Mapping[str, str] | None = None) -> Recognizer:
    """Load an engine's model.

    Raises:
        ModelError: no such engine, its packages aren't installed, or its files are missing or unreadable.
        SettingsError: the engine has no such option.
    """
    if name not in ENGINES:
        raise ModelError(f"no engine is called {name!r}; there are: {', '.join(sorted(ENGINES))}")
    module, _, attribute = ENGINES[name].partition(":")
    try:
        # The registry is the one place where a string becomes a factory; the conformance suite checks each.
        factory = cast(RecognizerFactory, getattr(import_module(module), attribute))
    except ModuleNotFoundError as error:
        raise ModelError(
            f"engine {name!r} needs the package {error.name!r}; install it with: pip install 'tympan[server]'"
        ) from error
    return factory(model, options or {})
