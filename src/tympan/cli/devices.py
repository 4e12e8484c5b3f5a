"""The source of live audio that a command line asks for: a microphone, a file or a pipe."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tympan.cli.errors import MissingExtra
from tympan.client.raw_audio import RawFormat

if TYPE_CHECKING:  # `--help` is fast
    from tympan.cli.captioning import Opening


def audio_input(source: Path | None, device: str | None, raw_format: RawFormat, *, is_remote: bool) -> Opening:
    """What `--input` names, or else the microphone that `--device` names.

    Raises:
        typer.BadParameter: both are given.
        MissingExtra, AudioDeviceError: as `microphone` does.
    """
    from tympan.cli.captioning import file_input  # noqa: PLC0415

    if source is None:
        return microphone(device)
    if device is not None:
        raise typer.BadParameter("has no effect with --input; leave one of the two out", param_hint="--device")
    return file_input(source, raw_format, is_remote=is_remote)


def microphone(wanted: str | None) -> Opening:
    """A device by its index or a part of its name; None is the system's.

    Raises:
        MissingExtra: the package that records isn't installed.
        AudioDeviceError: there is no such device.
    """
    from tympan.cli.captioning import microphone_input  # noqa: PLC0415
    from tympan.client.errors import AudioDeviceError  # noqa: PLC0415
    from tympan.client.portaudio import PortAudioDevice, choose_device, input_devices  # noqa: PLC0415

    need_sounddevice()
    try:
        return microphone_input(PortAudioDevice(choose_device(input_devices(), wanted)))
    except AudioDeviceError as error:
        raise AudioDeviceError(f"{error}; --input FILE and --input - need none") from error


def need_sounddevice() -> None:
    """Raises MissingExtra where nothing can record."""
    if find_spec("sounddevice") is None:
        raise MissingExtra("mic", "sounddevice")
