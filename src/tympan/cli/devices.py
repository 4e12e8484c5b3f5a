"""The microphone that a command line asks for."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from tympan.cli.errors import MissingExtra

if TYPE_CHECKING:  # `--help` is fast
    from tympan.cli.captioning import Opening


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
