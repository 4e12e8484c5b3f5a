"""`tympan demo`: the whole service on a recording that the model's package carries, as a client sees it."""

from __future__ import annotations

import asyncio
import signal
import sys

import typer

from tympan.cli.errors import needs_extra


def demo() -> None:
    """Start a server on a free port, stream a recording to it at real time, show what comes, and stop it.

    Live text goes to standard error, the formatted turns to standard output. Takes as long as the recording,
    44 seconds, and a few more on the first run, which converts the model.
    """
    # As Ctrl+C, also where that is ignored: the server that was started must not outlive the demonstration.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with needs_extra("server"):
        from tympan.cli.demonstration import demonstrate  # noqa: PLC0415
    with asyncio.Runner() as runner:
        summary = runner.run(demonstrate(is_terminal=sys.stderr.isatty()))
    for line in summary.lines():
        typer.echo(line, err=True)
