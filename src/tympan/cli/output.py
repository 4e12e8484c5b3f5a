"""Where a result goes: standard output, or a file that is there whole or not at all. Shell: writes."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tympan.cli.errors import OutputError


def check_writable(target: Path) -> None:
    """Find out before the work, not after it.

    Raises:
        OutputError: the file could not be created there.
    """
    if target.is_dir():
        raise OutputError(f"cannot write {target}: this is a directory")
    if _is_special(target):
        return
    if not os.access(target.parent, os.W_OK):
        reason = "permission denied" if target.parent.exists() else f"no directory {target.parent}"
        raise OutputError(f"cannot write {target}: {reason}")


def print_result(text: str) -> None:
    """Write to standard output, at once.

    Raises:
        OutputError: it can't be written.
        BrokenPipeError: its reader has seen enough.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is left in the buffer would fail again, and loudly, when Python ends.
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  (for the rest of the process)
        raise OutputError(f"cannot write to standard output: {(error.strerror or str(error)).lower()}") from error


def write_result(text: str, target: Path | None) -> None:
    """Write to standard output when `target` is None. A file is replaced in one step; what a link points
    to is replaced, not the link; a device or a pipe is written to.

    Raises:
        OutputError: it can't be written.
    """
    if target is None:
        print_result(text)
        return
    try:
        if _is_special(target):
            target.write_text(text, encoding="utf-8")
        else:
            _replace(target.resolve(), text)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {(error.strerror or str(error)).lower()}") from error


def _is_special(target: Path) -> bool:
    return target.exists() and not target.is_file()


def _replace(target: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=target.parent, prefix=f".{target.name}.", delete=False
    ) as draft:
        try:
            draft.write(text)
            draft.close()
            # A temporary file is private; the result gets the rights that any new file here gets.
            umask = os.umask(0)
            os.umask(umask)
            Path(draft.name).chmod(0o666 & ~umask)
            Path(draft.name).replace(target)
        except BaseException:
            Path(draft.name).unlink(missing_ok=True)
            raise
