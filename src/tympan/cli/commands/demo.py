"""`tympan demo`: the whole service on a recording that the model's package carries, as a client sees it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import typer

from tympan.cli.errors import needs_extra


def demo() -> None:
    """Start a server on a free port, stream a recording to it at real time, show what comes, and stop it.

    Live text goes to standard error, the formatted turns to standard output. Takes as long as the recording,
    44 seconds, and a few more on the first run, which converts the model.
    """
    with needs_extra("server"):
        from tympan.cli.demonstration import Summary, demonstrate  # noqa: PLC0415

    async def run() -> Summary:
        task = asyncio.ensure_future(demonstrate(is_terminal=sys.stderr.isatty()))
        if os.name == "posix":
            # As Ctrl+C: the server that was started must not outlive the demonstration.
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    try:
        summary = asyncio.run(run())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    for line in summary.lines():
        typer.echo(line, err=True)
