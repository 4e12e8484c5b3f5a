"""A test double of the service for the tests of one's own programs: scripted, deterministic, without a model.

    from tympan.testing import DoubleServer

    with DoubleServer() as server:
        server.says("Hi, my name is Sonny.")
        transcribe(server.url, server.api_key)
        server.assert_terminated_gracefully()

With pytest the fixture `tympan_server` is such a server, one for each test; `strict_tympan_server` refuses what the
hosted service refuses. It needs `pip install "tympan[server]"`.
Names are imported when they are first used: pytest imports this package in every run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tympan.testing.double import DoubleServer
    from tympan.testing.heard import HeardSession

_PLACES = {"DoubleServer": "tympan.testing.double", "HeardSession": "tympan.testing.heard"}

__all__ = ["DoubleServer", "HeardSession"]


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(_PLACES[name]), name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("tympan"):
            raise
        hint = f'tympan.testing needs the package {error.name}; pip install "tympan[server]"'
        raise ModuleNotFoundError(hint, name=error.name) from error
