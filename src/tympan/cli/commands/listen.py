"""`tympan listen`: a microphone, a file or a pipe → live captions, in this process or through a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tympan.cli.devices import audio_input, need_sounddevice
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
from tympan.cli.output import check_writable, print_result
from tympan.cli.transcript import TranscriptFormat
from tympan.client.raw_audio import RawFormat
from tympan.core.audio import Encoding


def listen(
    context: typer.Context,
    url: Url = None,
    api_key: ApiKey = None,
    token: Token = None,
    authorities: Authorities = None,
    speech_model: SpeechModel = None,
    device: Annotated[
        str | None,
        typer.Option(help="Microphone: an index or a part of a name from --list-devices.", show_default="the system's"),
    ] = None,
    list_devices: Annotated[bool, typer.Option("--list-devices", help="List microphones and exit.")] = False,
    source: Annotated[
        Path | None,
        typer.Option(
            "--input",
            metavar="FILE",
            help="No microphone: a file at the pace at which it was spoken, or '-' for WAV or raw PCM on standard "
            "input.",
            show_default=False,
        ),
    ] = None,
    output_format: Annotated[
        TranscriptFormat,
        typer.Option(
            "--format",
            help="Of what is written as turns end: text, a line each; JSON Lines, an object each; SRT or WebVTT "
            "subtitles.",
        ),
    ] = TranscriptFormat.TEXT,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write to this file as turns end, not to standard output.", show_default=False
        ),
    ] = None,
    save_audio: Annotated[
        Path | None,
        typer.Option(help="Keep what is heard in this WAV file.", metavar="FILE", show_default=False),
    ] = None,
    sample_rate: SampleRate = 16_000,
    channels: Channels = 1,
    encoding: RawEncoding = Encoding.PCM_S16LE,
    engine: Engine = "moonshine",
    model: Model = None,
    smart_turn: SmartTurn = None,
) -> None:
    """Caption live speech.

    On a terminal the words of the open turn appear as they are said, with a level meter and their delay;
    elsewhere there is a line for each turn. Ctrl+C ends the audio: the last turn is told within 6 seconds, and
    the exit code is 130. A second Ctrl+C ends at once.
    """
    if list_devices:
        need_sounddevice()
        print_result(_device_list())
        return
    refuse_without_effect(context, url)
    for target in filter(None, (output, save_audio)):
        check_writable(target)
    # Imported on use: `--help` needs none of it.
    from tympan.cli.captioning import listen_to  # noqa: PLC0415
    from tympan.cli.recorder import Recorder  # noqa: PLC0415
    from tympan.cli.screen import open_screen  # noqa: PLC0415
    from tympan.cli.turn_writer import TurnWriter  # noqa: PLC0415

    opening = audio_input(source, device, RawFormat(sample_rate, channels, encoding), is_remote=url is not None)
    screen = open_screen(results_are_elsewhere=output is not None)
    with screen, TurnWriter(output_format, output) as writer, Recorder(save_audio) as recorder:
        screen.state("starting")
        server = ServerChoice(url, api_key, token, authorities, speech_model)
        with open_service(server, EngineChoice(engine, model, smart_turn)) as service:
            listen_to(opening, service, screen, writer, recorder)


def _device_list() -> str:
    from tympan.client.portaudio import input_devices  # noqa: PLC0415

    devices = input_devices()
    if not devices:
        return "no microphone\n"
    width = max(len(device.name) for device in devices)
    return "".join(
        f"{device.index:>3}  {device.name:<{width}}  {device.channels:>2} channels  {device.default_rate_hz} Hz"
        f"{'  default' if device.is_default else ''}\n"
        for device in devices
    )
