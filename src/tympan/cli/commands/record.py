"""`tympan record`: a real session → a script for the test double."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tympan.cli.devices import audio_input
from tympan.cli.options import ApiKey, Authorities, Channels, RawEncoding, SampleRate, Token, named_values, trust_in
from tympan.cli.output import check_writable, write_result
from tympan.client.raw_audio import RawFormat
from tympan.core.audio import Encoding


def record(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Service that speaks v3, like wss://HOST or localhost:8000.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where the script goes.", show_default=False)
    ],
    source: Annotated[
        Path | None,
        typer.Option(
            "--input",
            metavar="FILE",
            help="Play this file at its own pace, or '-': WAV or raw PCM on standard input. Without it, a microphone.",
            show_default=False,
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(help="Microphone: an index or a part of a name.", show_default="the system's"),
    ] = None,
    api_key: ApiKey = None,
    token: Token = None,
    ca: Authorities = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Parameter of the session, like speech_model=u3-rt-pro. Turns are formatted unless it says otherwise.",
            show_default=False,
        ),
    ] = None,
    save_audio: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keep the audio in this WAV file; otherwise none is kept.", show_default=False
        ),
    ] = None,
    sample_rate: SampleRate = 16_000,
    channels: Channels = 1,
    encoding: RawEncoding = Encoding.PCM_S16LE,
) -> None:
    """Record what a service says as a script for 'tympan serve --script'.

    The script holds the messages about turns, each with the audio that had been sent when it came, and no key.
    Ctrl+C ends the audio: the last turn is recorded within 6 seconds. What came before a failure is written, too.
    """
    for target in filter(None, (output, save_audio)):
        check_writable(target)
    parameters = named_values(param)
    for name in ("sample_rate", "encoding"):
        if name in parameters:
            raise typer.BadParameter(f"{name} is that of the audio", param_hint="--param")
    # Imported on use: `--help` needs none of it.
    from tympan.cli.recorder import Recorder  # noqa: PLC0415
    from tympan.cli.recording import RecordedService, Scribe  # noqa: PLC0415
    from tympan.cli.recording import record as record_session  # noqa: PLC0415
    from tympan.cli.screen import open_screen  # noqa: PLC0415

    service, scribe = RecordedService(url, api_key, parameters, token, trust_in(ca)), Scribe()
    opening = audio_input(source, device, RawFormat(sample_rate, channels, encoding), is_remote=True)
    with open_screen(results_are_elsewhere=True) as screen, Recorder(save_audio) as recorder:
        screen.state("starting")
        try:
            record_session(opening, service, screen, recorder, scribe)
        finally:
            if scribe.messages:
                write_result(scribe.script(service), output)
                screen.note(f"{len(scribe.messages)} messages recorded in {output}")
            else:
                screen.note("nothing was said, and nothing is written")
