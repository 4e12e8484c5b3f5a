"""`tympan transcribe`: audio files → text or JSON, in this process or through a server."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, Protocol

import typer

from tympan.cli.audience import Audience
from tympan.cli.errors import PartialFailure, needs_extra
from tympan.cli.output import check_writable, write_result
from tympan.cli.transcript import Transcript, TranscriptFormat, render
from tympan.core.errors import TympanError


class Transcriber(Protocol):
    """Turns a file into a transcript and tells an audience as it goes."""

    def transcribe(self, path: Path, audience: Audience) -> Transcript: ...


def transcribe(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            readable=False,  # not checked here: one that can't be read doesn't stop the others
            help="WAV, FLAC, OGG or MP3; any sample rate and number of channels.",
            show_default=False,
        ),
    ],
    url: Annotated[
        str | None,
        typer.Option(help="Stream to this server, like ws://localhost:8000. Without it, all runs here."),
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(envvar="TYMPAN_API_KEY", help="Key for the server.", show_default=False)
    ] = None,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Send at the pace of the audio instead of as fast as possible.")
    ] = False,
    output_format: Annotated[
        TranscriptFormat,
        typer.Option("--format", help="Text, one line a turn; or JSON with word times."),
    ] = TranscriptFormat.TEXT,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write to this file, not to standard output.", show_default=False),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="Engine, where everything runs here.", envvar="TYMPAN_ENGINE")
    ] = "moonshine",
    model: Annotated[
        str | None,
        typer.Option(
            help="Model of the engine: a name from 'tympan models list' or a path.",
            envvar="TYMPAN_MODEL",
            show_default="the engine's default",
        ),
    ] = None,
    smart_turn: Annotated[
        str | None,
        typer.Option(
            help="Second model for the end of turns: a path, or 'pulled' after 'tympan models pull smart-turn'.",
            envvar="TYMPAN_SMART_TURN",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Transcribe audio files.

    Standard output carries the transcript alone. With several files, each text begins with a line
    '==> FILE <==', and JSON is a list. A file that can't be read is told on standard error, the others
    are done all the same, and the exit code says so.
    """
    if output is not None:
        check_writable(output)
    is_list = len(files) > 1
    shows_turns = output is None and output_format is TranscriptFormat.TEXT
    with (
        _transcriber(url, api_key, engine, model, smart_turn, is_realtime=realtime) as transcriber,
        Audience(shows_turns=shows_turns, has_headers=is_list) as audience,
    ):
        transcripts, failures = _transcribe_each(files, transcriber, audience)
    if not shows_turns:
        write_result(render(transcripts, output_format, is_list=is_list), output)
    if failures:
        raise PartialFailure(failures[0], len(failures), len(files))


def _transcriber(
    url: str | None, api_key: str | None, engine: str, model: str | None, smart_turn: str | None, *, is_realtime: bool
) -> AbstractContextManager[Transcriber]:
    # Imported on use: one needs the engine's packages, the other the network's.
    if url is not None:
        from tympan.cli.remote import RemoteTranscriber  # noqa: PLC0415

        return nullcontext(RemoteTranscriber(url, api_key, is_realtime))
    with needs_extra("server"):
        from tympan.cli.local import local_transcriber  # noqa: PLC0415
    options = {} if smart_turn is None else {"smart_turn": smart_turn}
    return local_transcriber(engine, model, options, is_realtime=is_realtime)


def _transcribe_each(
    files: list[Path], transcriber: Transcriber, audience: Audience
) -> tuple[list[Transcript], list[TympanError]]:
    """One file that fails doesn't stop several; a single one raises."""
    transcripts: list[Transcript] = []
    failures: list[TympanError] = []
    for path in files:
        try:
            transcripts.append(transcriber.transcribe(path, audience))
        except TympanError as error:
            if len(files) == 1:
                raise
            audience.complaint(error)
            failures.append(error)
    return transcripts, failures
