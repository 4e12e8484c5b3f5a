"""Errors that only a command can meet, and the check for optional packages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tympan.core.errors import TympanError


class OutputError(TympanError):
    """The result can't be written where the user wants it."""


class MissingExtra(TympanError):
    """The command needs packages that the base install doesn't have."""

    def __init__(self, extra: str, package: str) -> None:
        super().__init__(f'this needs the package {package}, which is not installed; pip install "tympan[{extra}]"')


class PartialFailure(TympanError):
    """Some of several inputs failed; each was told as it happened, the rest is done.

    `first` decides the exit code.
    """

    def __init__(self, first: TympanError, failed: int, total: int) -> None:
        super().__init__(f"{failed} of {total} files failed")
        self.first = first


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Import inside this block; a package that isn't there becomes MissingExtra.

    A module of tympan itself that isn't there is a defect and stays what it is.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package == "tympan":
            raise
        raise MissingExtra(extra, package) from error
