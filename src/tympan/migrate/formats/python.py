"""Python source. PURE."""

from __future__ import annotations

from tympan.migrate.formats.opened import Format, OpenedFile, WholeFile
from tympan.migrate.matching.source import PythonDocument


def _open(text: str) -> OpenedFile:
    return WholeFile(PythonDocument(text))


PYTHON = Format("python", (".py", ".pyw", ".pyi"), _open)
