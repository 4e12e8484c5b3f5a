"""JavaScript and TypeScript. PURE."""

from __future__ import annotations

from tympan.migrate.formats.opened import Format, OpenedFile, WholeFile
from tympan.migrate.matching.javascript import JavaScriptDocument


def _open(text: str) -> OpenedFile:
    return WholeFile(JavaScriptDocument(text))


JAVASCRIPT = Format("javascript", (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx"), _open)
