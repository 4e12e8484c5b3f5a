"""The kinds of file that are looked at: a line each. The first that takes a name wins."""

from __future__ import annotations

from tympan.migrate.formats.javascript import JAVASCRIPT
from tympan.migrate.formats.notebook import NOTEBOOK
from tympan.migrate.formats.opened import Format
from tympan.migrate.formats.python import PYTHON
from tympan.migrate.formats.settings import COMMENTED, INI, JSON, REQUIREMENTS

FORMATS: tuple[Format, ...] = (PYTHON, NOTEBOOK, JAVASCRIPT, COMMENTED, REQUIREMENTS, INI, JSON)


def format_of(file_name: str) -> Format | None:
    """The kind of a file with this name; None: not one that is looked at."""
    return next((kind for kind in FORMATS if kind.takes(file_name)), None)
