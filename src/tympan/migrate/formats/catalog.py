"""The kinds of file that are looked at: a line each. The first that takes a name wins."""

from __future__ import annotations

from tympan.migrate.formats.opened import Format
from tympan.migrate.formats.python import PYTHON

FORMATS: tuple[Format, ...] = (PYTHON,)


def format_of(file_name: str) -> Format | None:
    """The kind of a file with this name; None: not one that is looked at."""
    return next((kind for kind in FORMATS if kind.takes(file_name)), None)
