"""Find files, read them, write them back. Shell: the only file of the migration that touches the disk.

A file is written in one step (whole or not at all), with the rights, the encoding, the byte order mark and the
line ends that it had.
"""

from __future__ import annotations

import codecs
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tympan.core.errors import TympanError
from tympan.migrate.document import Unreadable

_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages", "venv", "env", "build", "dist", "__pypackages__"})
"""Folders that hold what others wrote or what was built; as are those that begin with a dot. Name one to look in."""

_DECLARED = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
"""PEP 263."""


class FileError(TympanError):
    """A file or folder that was named can't be read or written."""


@dataclass(frozen=True, slots=True)
class SourceText:
    """A file's text, and how it is stored."""

    path: Path
    text: str
    encoding: str
    mark: bytes = b""

    def encoded(self, text: str) -> bytes:
        """Another text, stored in the same way.

        Raises:
            UnicodeError: the encoding has no such characters.
        """
        return self.mark + text.encode(self.encoding)


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Files as named, and every file below the folders, in a stable order, each once.

    Raises:
        FileError: there is no such file or folder.
    """
    seen: set[Path] = set()
    named = list(paths)
    for path in named:
        if not path.exists():
            raise FileError(f"no file or folder {path}")
    for path in named:
        for found in _below(path) if path.is_dir() else [path]:
            key = found.resolve()
            if key not in seen:
                seen.add(key)
                yield found


def _below(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED and not name.startswith("."))
        yield from (Path(root) / name for name in sorted(names) if (Path(root) / name).is_file())


def read_file(path: Path) -> SourceText:
    """Read a text.

    Raises:
        FileError: it can't be read.
        Unreadable: it isn't text in its encoding.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError(f"cannot read {path}: {_reason(error)}") from error
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    encoding = "utf-8" if mark else _declared_encoding(data)
    try:
        return SourceText(path, data[len(mark) :].decode(encoding), encoding, mark)
    except (UnicodeError, LookupError) as error:
        raise Unreadable(f"not text in the encoding {encoding}") from error


def write_file(source: SourceText, text: str) -> None:
    """Replace the file by one with another text, in one step. What a link points to is replaced, not the link.

    Raises:
        FileError: it can't be written, is read-only, or its encoding lacks a character; the old file is still there.
    """
    target = source.path.resolve()
    try:
        data = source.encoded(text)
        mode = target.stat().st_mode & 0o7777
        if not mode & 0o222:  # replacing it would work, but that isn't what it was made read-only for
            raise FileError(f"cannot write {source.path}: it is read-only")
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as draft:
            try:
                draft.write(data)
                draft.close()
                Path(draft.name).chmod(mode)
                Path(draft.name).replace(target)
            except BaseException:
                Path(draft.name).unlink(missing_ok=True)
                raise
    except UnicodeError as error:
        raise FileError(f"cannot write {source.path}: its encoding {source.encoding} lacks a character") from error
    except OSError as error:
        raise FileError(f"cannot write {source.path}: {_reason(error)}") from error


def _declared_encoding(data: bytes) -> str:
    for line in data.split(b"\n", 2)[:2]:
        declared = _DECLARED.match(line)
        if declared:
            return declared[1].decode("ascii")
        if line.strip() and not line.lstrip().startswith(b"#"):
            break
    return "utf-8"


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
