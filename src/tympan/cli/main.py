"""The `tympan` command: its subcommands, and the one place where errors become a line and an exit code.

Rules: this module and `commands/*` import nothing that the base install lacks, and nothing slow, at the top:
`tympan --help` is fast and works everywhere. What a command needs beyond that it imports on use, inside
`needs_extra`. Standard output carries results alone; everything else goes to standard error.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tympan.cli.commands.bridge import bridge
from tympan.cli.commands.cert import cert
from tympan.cli.commands.demo import demo
from tympan.cli.commands.listen import listen
from tympan.cli.commands.migrate import migrate
from tympan.cli.commands.models import models
from tympan.cli.commands.probe import probe
from tympan.cli.commands.record import record
from tympan.cli.commands.serve import serve
from tympan.cli.commands.transcribe import transcribe
from tympan.cli.errors import PartialFailure
from tympan.cli.exit_codes import ExitCode, exit_code_of
from tympan.cli.legible import legible
from tympan.client.errors import AuthError, TlsError
from tympan.core.errors import TympanError

_EPILOG = "Exit codes: " + "; ".join(f"{code.value} {code.meaning}" for code in ExitCode) + "."

app = typer.Typer(
    name="tympan",
    help="Self-hosted real-time speech-to-text.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

# One line a command, in the order of --help.
app.command()(serve)
app.command()(listen)
app.command()(bridge)
app.command()(transcribe)
app.add_typer(models, name="models")
app.add_typer(migrate, name="migrate")
app.command()(cert)
app.command()(probe)
app.command()(record)
app.command()(demo)

_UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""Base of every complaint about the command line; typer exports only this one of them."""


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        from importlib.metadata import version  # noqa: PLC0415  (slow, and rarely wanted)

        typer.echo(f"tympan {version('tympan')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; its exit code. Never raises for what a user, a file or a server did."""
    _replace_closed_streams()
    try:
        # Without standalone mode typer raises what went wrong, and returns the code of an early exit.
        result = app(args=arguments, prog_name="tympan", standalone_mode=False)
    except TympanError as error:
        return _told(error)
    except _UsageError as error:
        return _complained(error)
    except (KeyboardInterrupt, typer.Abort):
        return ExitCode.INTERRUPTED
    except Exception as error:
        return _broken(error)
    return result if isinstance(result, int) else ExitCode.OK


def _replace_closed_streams() -> None:
    """A stream that was closed before the start (`2>&-`) is None in Python; what is written to it is lost."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  (for the rest of the process)


def _told(error: TympanError) -> ExitCode:
    _say(f"{error}{_hint(error)}")
    return exit_code_of(error.first if isinstance(error, PartialFailure) else error)


def _hint(error: TympanError) -> str:
    """What to do about it on a command line."""
    match error:
        case AuthError():
            return "; give a valid key with --api-key or TYMPAN_API_KEY, or a valid token with --token"
        case TlsError():
            import ssl  # noqa: PLC0415  (slow, and rarely wanted)

            is_distrusted = isinstance(error.__cause__, ssl.SSLCertVerificationError)
            return "; --ca FILE trusts an authority of your own" if is_distrusted else ""
        case _:
            return ""


def _complained(error: Exception) -> ExitCode:
    context = getattr(error, "ctx", None)
    command = "tympan" if context is None else context.command_path
    message = getattr(error, "format_message", lambda: str(error))()
    if message:
        _say(f"{message.rstrip('.')}; see '{command} --help'")
    return ExitCode.USAGE


def _broken(error: Exception) -> ExitCode:
    """A defect of ours: still one line, and a way to see the rest."""
    if os.environ.get("TYMPAN_DEBUG"):
        traceback.print_exc()
    _say(f"internal error: {type(error).__name__}: {error} (set TYMPAN_DEBUG=1 to see where)")
    return ExitCode.FAILURE


def _say(message: str) -> None:
    print(f"tympan: {' '.join(legible(message).split())}", file=sys.stderr)
