"""Check or fix files: open, run, tell, write. Shell round `runner` and `files`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tympan.migrate.discovery import AnyRule
from tympan.migrate.document import Place, Span, Unreadable
from tympan.migrate.files import FileError, SourceText, find_files, read_file, write_file
from tympan.migrate.formats.catalog import format_of
from tympan.migrate.formats.opened import Format, OpenedFile
from tympan.migrate.rule import Finding, Target
from tympan.migrate.runner import check, fix

UNREADABLE_CODE = "TM000"
"""Code under which a file that can't be parsed is reported."""

_TOO_DEEP = Unreadable("nested too deeply")


@dataclass(frozen=True, slots=True)
class Located:
    """A finding and where it stands."""

    path: Path
    start: Place
    end: Place
    finding: Finding


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of a file. `before` and `after` differ where something was (or would be) fixed."""

    path: Path
    left: tuple[Located, ...]
    fixed: tuple[Located, ...] = ()
    before: str = ""
    after: str = ""
    is_known: bool = True
    """False: it was named, but is of no kind that is looked at."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for."""

    rules: Sequence[AnyRule]
    target: Target = field(default_factory=Target)
    with_unsafe: bool = False


def check_paths(paths: Iterable[Path], wish: Wish) -> Iterator[FileResult]:
    """Look at files and folders; every file that is looked at, in a stable order.

    Raises:
        FileError: a path that was named isn't there or can't be read.
    """
    for source, opened in _opened(paths):
        if isinstance(opened, FileResult):
            yield opened
            continue
        try:
            yield FileResult(source.path, tuple(_found(source, opened, wish)))
        except RecursionError:
            yield _unreadable(source, _TOO_DEEP)


def fix_paths(paths: Iterable[Path], wish: Wish, *, is_written: bool) -> Iterator[FileResult]:
    """Fix what can be fixed, in place when `is_written`; every file that is looked at.

    Raises:
        FileError: a path isn't there or can't be read.
    """
    for source, opened in _opened(paths):
        if isinstance(opened, FileResult):
            yield opened
            continue
        try:
            result = _fixed(source, opened, wish)
        except RecursionError:
            yield _unreadable(source, _TOO_DEEP)
            continue
        if is_written and result.after != result.before:
            try:
                write_file(source, result.after)
            except FileError as error:
                result = _unreadable(source, Unreadable(str(error)))
        yield result


def _found(source: SourceText, opened: OpenedFile, wish: Wish) -> Iterator[Located]:
    for index, document in enumerate(opened.documents):
        for finding in check(document, wish.rules, wish.target):
            yield _located(source.path, opened, index, finding)


def _fixed(source: SourceText, opened: OpenedFile, wish: Wish) -> FileResult:
    outcomes = [fix(document, wish.rules, wish.target, with_unsafe=wish.with_unsafe) for document in opened.documents]
    after = opened.rebuilt([outcome.document for outcome in outcomes])
    reopened = opened if after == source.text else _format(source.path).open(after)
    return FileResult(
        source.path,
        tuple(_located(source.path, reopened, i, finding) for i, o in enumerate(outcomes) for finding in o.left),
        tuple(_located(source.path, opened, i, finding) for i, o in enumerate(outcomes) for finding in o.fixed),
        source.text,
        after,
    )


def _opened(paths: Iterable[Path]) -> Iterator[tuple[SourceText, OpenedFile | FileResult]]:
    """Files of a kind that is known; for those that can't be opened, the report of that."""
    named = list(paths)
    for path in find_files(named):
        kind = format_of(path.name)
        source = SourceText(path, "", "utf-8")
        if kind is None:
            if path in named:
                yield source, FileResult(path, (), is_known=False)
            continue
        try:
            source = read_file(path)
            yield source, kind.open(source.text)
        except Unreadable as error:
            yield source, _unreadable(source, error)


def _format(path: Path) -> Format:
    kind = format_of(path.name)
    assert kind is not None
    return kind


def _located(path: Path, opened: OpenedFile, index: int, finding: Finding) -> Located:
    span = finding.span
    return Located(path, opened.place(index, span.start), opened.place(index, span.end), finding)


def _unreadable(source: SourceText, error: Unreadable) -> FileResult:
    before = source.text[: error.offset]
    place = Place(before.count("\n") + 1, error.offset - (before.rfind("\n") + 1) + 1)
    advice = "It is left alone. Correct it, or leave it out."
    finding = Finding(UNREADABLE_CODE, Span(error.offset, error.offset), error.reason, advice)
    return FileResult(source.path, (Located(source.path, place, place, finding),), (), source.text, source.text)
