"""`tympan transcribe`: audio files → text, JSON or subtitles, in this process or through a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tympan.cli.audience import Audience
from tympan.cli.errors import OutputError, PartialFailure
from tympan.cli.options import (
    ApiKey,
    Authorities,
    Channels,
    Engine,
    EngineChoice,
    Model,
    RawEncoding,
    SampleRate,
    ServerChoice,
    SmartTurn,
    SpeechModel,
    Token,
    Url,
    open_service,
    refuse_without_effect,
)
from tympan.cli.output import check_writable, write_result
from tympan.cli.transcript import Transcript, TranscriptFormat, render
from tympan.client.raw_audio import RawFormat
from tympan.core.audio import Encoding

_STDIN = Path("-")
_SUFFIXES = {
    TranscriptFormat.TEXT: ".txt",
    TranscriptFormat.JSON: ".json",
    TranscriptFormat.SRT: ".srt",
    TranscriptFormat.VTT: ".vtt",
}


def transcribe(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            readable=False,  # not checked here: one that can't be read doesn't stop the others
            help="WAV, FLAC, OGG or MP3, any sample rate and number of channels; '-' is WAV or raw PCM on "
            "standard input.",
            show_default=False,
        ),
    ],
    url: Url = None,
    api_key: ApiKey = None,
    token: Token = None,
    authorities: Authorities = None,
    speech_model: SpeechModel = None,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Send at the pace of the audio instead of as fast as possible.")
    ] = False,
    output_format: Annotated[
        TranscriptFormat,
        typer.Option("--format", help="Text, one line a turn; JSON with word times; SRT or WebVTT subtitles."),
    ] = TranscriptFormat.TEXT,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write to this file, not to standard output; into a directory, a file for each input.",
            show_default=False,
        ),
    ] = None,
    sample_rate: SampleRate = 16_000,
    channels: Channels = 1,
    encoding: RawEncoding = Encoding.PCM_S16LE,
    engine: Engine = "moonshine",
    model: Model = None,
    smart_turn: SmartTurn = None,
) -> None:
    """Transcribe audio files.

    Standard output carries the transcript alone. With several files, each text begins with a line
    '==> FILE <==', JSON is a list, and subtitles need a directory to go to. A file that can't be read is told
    on standard error, the others are done all the same, and the exit code says so. Ctrl+C finishes what was
    read so far within 6 seconds; a second one ends at once.
    """
    refuse_without_effect(context, url)
    targets = _targets(files, output, output_format)
    server = ServerChoice(url, api_key, token, authorities, speech_model)
    shows_turns = output is None and output_format is TranscriptFormat.TEXT
    with (
        open_service(server, EngineChoice(engine, model, smart_turn)) as service,
        Audience(shows_turns=shows_turns, has_headers=len(files) > 1) as audience,
    ):
        # Imported on use: `--help` needs none of it.
        from tympan.cli.transcription import Transcription  # noqa: PLC0415

        raw_format = RawFormat(sample_rate, channels, encoding)
        outcome = Transcription(service, audience, raw_format, realtime).run(files)
    if not shows_turns:
        _write(outcome.transcripts, output_format, output, targets, is_list=len(files) > 1)
    if outcome.was_interrupted:
        raise KeyboardInterrupt
    if outcome.failures:
        raise PartialFailure(outcome.failures[0], len(outcome.failures), len(files))


def _targets(files: list[Path], output: Path | None, output_format: TranscriptFormat) -> dict[str, Path]:
    """Where each input's result goes, when each has a file of its own. All are checked before the work."""
    if output is not None and output.is_dir():
        names = ["stdin" if file == _STDIN else file.stem for file in files]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise OutputError(f"cannot write {output}: several inputs are called {sorted(twice)[0]!r}")
        targets = {
            _name(file): output / f"{name}{_SUFFIXES[output_format]}" for file, name in zip(files, names, strict=True)
        }
        for target in targets.values():
            check_writable(target)
        return targets
    if len(files) > 1 and output_format.is_subtitles:
        raise typer.BadParameter("subtitles of several files need a directory: --output DIRECTORY")
    if output is not None:
        check_writable(output)
    return {}


def _name(file: Path) -> str:
    """As a transcript calls it."""
    return "standard input" if file == _STDIN else str(file)


def _write(
    transcripts: list[Transcript],
    output_format: TranscriptFormat,
    output: Path | None,
    targets: dict[str, Path],
    *,
    is_list: bool,
) -> None:
    if targets:
        for transcript in transcripts:
            write_result(render([transcript], output_format, is_list=False), targets[transcript.file])
    else:
        write_result(render(transcripts, output_format, is_list=is_list), output)
