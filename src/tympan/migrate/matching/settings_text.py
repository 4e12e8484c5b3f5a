"""Settings: lines of names and values, whatever the format; and the addresses in them. PURE.

Formats aren't parsed: an address is one in `.env`, YAML, TOML, JSON and INI alike. What stands in a comment is
nobody's setting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tympan.migrate.document import Document, Span

V2 = "speaks v2"

_ADDRESS = re.compile(
    r"(?P<scheme>wss?|https?)://(?P<host>[\w.-]+(?::\d+)?)(?P<path>/v2/realtime/(?:ws|token)|(?=[\s\"'?/]|$)/?)"
)
_VENDOR = re.compile(r"api(?:\.eu)?\.assemblyai\.com")


class SettingsDocument(Document):
    """A file of settings. `comment` begins a comment; empty where there are none."""

    comment = ""

    def known(self) -> frozenset[str]:
        return self.context | (frozenset({V2}) if any(a.is_v2 for a in addresses(self)) else frozenset())

    def is_comment(self, offset: int) -> bool:
        """Whether a character stands in a comment."""
        line_start = self.line_starts[self.place(offset).line - 1]
        before = self.text[line_start:offset]
        return bool(self.comment) and re.search(rf"(?:^|\s)[{self.comment}]", before) is not None


class CommentedSettings(SettingsDocument):
    """Settings with `#` for comments."""

    comment = "#"


class IniSettings(SettingsDocument):
    """Settings with `#` or `;` for comments."""

    comment = "#;"


@dataclass(frozen=True, slots=True)
class Address:
    """An address in a text. `span` covers it whole, with its query; `path` and `query` may be empty."""

    span: Span
    scheme: str
    host: str
    path: str
    query: str

    @property
    def is_vendor(self) -> bool:
        """Whether it is the vendor's old host."""
        return _VENDOR.fullmatch(self.host) is not None

    @property
    def is_socket(self) -> bool:
        return self.scheme in ("ws", "wss")

    @property
    def is_v2(self) -> bool:
        """Whether it is one of the old protocol: by its path, or by a socket on the old host."""
        return self.path.startswith("/v2/realtime/") or (self.is_vendor and self.is_socket and self.path in ("", "/"))


def addresses(document: SettingsDocument) -> Iterator[Address]:
    """Every address that may be one of the old protocol."""
    text = document.text
    for found in _ADDRESS.finditer(text):
        if document.is_comment(found.start()):
            continue
        end = _end(text, found)
        query = text[found.end() : end]
        if not query or query.startswith("?"):
            yield Address(Span(found.start(), end), found["scheme"], found["host"], found["path"], query[1:])


def _end(text: str, found: re.Match[str]) -> int:
    """Where an address ends: at the quote that it began with, else at a space."""
    quote = text[found.start() - 1 : found.start()] if found.start() else ""
    body = rf"(?:\\.|[^{quote}\\\r\n])*" if quote in ("'", '"') and quote else r"\S*"
    rest = re.compile(body).match(text, found.end())
    return rest.end() if rest else found.end()
