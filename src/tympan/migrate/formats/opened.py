"""How files of a kind are opened: which documents are in them, and how they are put together again. PURE.

To add a kind: a module here with a `Format`, and a line in `catalog.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tympan.migrate.document import Document, Place


class OpenedFile(ABC):
    """A file's text as documents."""

    documents: Sequence[Document]

    @abstractmethod
    def rebuilt(self, documents: Sequence[Document]) -> str:
        """The file's text with these documents in the places of the old ones.

        What didn't change in a document doesn't change in the file.
        """

    @abstractmethod
    def place(self, index: int, offset: int) -> Place:
        """Where in the file a character of document number `index` stands."""


class WholeFile(OpenedFile):
    """A file that is one document."""

    def __init__(self, document: Document) -> None:
        self.documents = (document,)

    def rebuilt(self, documents: Sequence[Document]) -> str:
        return documents[0].text

    def place(self, index: int, offset: int) -> Place:
        return self.documents[index].place(offset)


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file.

    `open` raises Unreadable for a text that isn't of this kind. `is_found`: whether a search through a folder
    takes files of this name; `suffixes` decides for files that are named one by one too.
    """

    name: str
    suffixes: tuple[str, ...]
    open: Callable[[str], OpenedFile]
    file_names: tuple[str, ...] = ()
    """Whole names, for files without a telling suffix (`.env`)."""

    def takes(self, file_name: str) -> bool:
        return file_name in self.file_names or file_name.lower().endswith(self.suffixes)
