"""Microphones of this machine, through PortAudio (`sounddevice`, imported on use). Shell: opens devices.

    async with open_microphone("usb") as microphone:
        await session.send_from(microphone)

Rules: a device is asked for 16 kHz mono; what it can't do is taken as it can, at a rate that v3 services accept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from tympan.client.errors import AudioDeviceError
from tympan.client.microphone import AudioLoss, Microphone
from tympan.client.raw_audio import CHUNK_MS, MAX_RATE_HZ, MIN_RATE_HZ
from tympan.core.units import sample_count

_LIKED_RATES_HZ = (16_000, 48_000, 44_100, 32_000, 24_000, 22_050, 8_000)


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """A device that has an input."""

    index: int
    name: str
    channels: int
    default_rate_hz: int
    is_default: bool


def input_devices() -> list[DeviceInfo]:
    """Every device that can record, as PortAudio lists them now.

    Raises:
        AudioDeviceError: PortAudio isn't installed.
    """
    library = _load()
    default_index = library.default.device[0]
    return [
        DeviceInfo(
            index=index,
            name=str(info["name"]),
            channels=int(info["max_input_channels"]),
            default_rate_hz=int(info["default_samplerate"]),
            is_default=index == default_index,
        )
        for index, info in enumerate(library.query_devices())
        if info["max_input_channels"] > 0
    ]


def choose_device(devices: list[DeviceInfo], wanted: str | None) -> DeviceInfo:
    """The device with that index, that name, or whose name alone contains it; None is the default one.

    Raises:
        AudioDeviceError: none, or several.
    """
    if not devices:
        raise AudioDeviceError("this machine has no microphone")
    if wanted is None:
        return next((device for device in devices if device.is_default), devices[0])
    exact = [device for device in devices if wanted in (str(device.index), device.name)]
    found = exact[:1] or [device for device in devices if wanted.lower() in device.name.lower()]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"{device.index} {device.name!r}" for device in (found or devices))
    problem = f"{len(found)} microphones match" if found else "there is no microphone"
    raise AudioDeviceError(f"{problem} {wanted!r}; expected an index or a part of a name of: {listed}")


def open_microphone(
    wanted: str | None = None, *, on_loss: Callable[[AudioLoss], None] = lambda loss: None
) -> Microphone:
    """A microphone of this machine as a source, to be used in an `async with` block; see `choose_device`.

    Raises:
        AudioDeviceError: PortAudio isn't installed, or there is no such microphone.
    """
    return Microphone(PortAudioDevice(choose_device(input_devices(), wanted)), on_loss=on_loss)


class PortAudioDevice:
    """A device of this machine that can record. Nothing is opened before `start`.

    Raises:
        AudioDeviceError: PortAudio isn't installed, or the device records in no way that can be used.
    """

    def __init__(self, info: DeviceInfo) -> None:
        self._library = _load()
        self._info = info
        self.name = info.name
        self.sample_rate_hz, self.channels = self._usable_format()
        self._stream: Any = None
        self._is_closing = False

    def start(self, deliver: Callable[[bytes, bool], None], ended: Callable[[], None]) -> None:
        def on_audio(data: Any, frames: int, time: object, status: Any) -> None:
            deliver(bytes(data), bool(status.input_overflow))

        def on_finished() -> None:
            if not self._is_closing:
                ended()

        try:
            self._stream = self._library.RawInputStream(
                samplerate=self.sample_rate_hz,
                blocksize=sample_count(CHUNK_MS, self.sample_rate_hz),
                device=self._info.index,
                channels=self.channels,
                dtype="int16",
                callback=on_audio,
                finished_callback=on_finished,
            )
            self._stream.start()
        except self._library.PortAudioError as error:
            raise AudioDeviceError(f"the microphone {self.name!r} can't be opened: {_reason(error)}") from error

    def close(self) -> None:
        self._is_closing = True
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close(ignore_errors=True)  # aborts, also where the device is gone

    def _usable_format(self) -> tuple[int, int]:
        failure: Exception | None = None
        for rate_hz, channels in self._candidates():
            try:
                self._library.check_input_settings(
                    device=self._info.index, channels=channels, dtype="int16", samplerate=rate_hz
                )
            except (self._library.PortAudioError, ValueError) as error:
                failure = failure or error
            else:
                return rate_hz, channels
        raise AudioDeviceError(f"the microphone {self.name!r} can't be used: {_reason(failure)}") from failure

    def _candidates(self) -> Iterator[tuple[int, int]]:
        first, *others = _LIKED_RATES_HZ
        for channels in dict.fromkeys((1, min(2, self._info.channels), self._info.channels)):
            for rate_hz in dict.fromkeys((first, self._info.default_rate_hz, *others)):
                if MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
                    yield rate_hz, channels


def _load() -> Any:
    """The library; it is untyped."""
    try:
        return import_module("sounddevice")
    except ModuleNotFoundError as error:
        raise AudioDeviceError(
            'recording needs the package sounddevice, which is not installed; pip install "tympan[mic]"'
        ) from error
    except OSError as error:
        raise AudioDeviceError(
            f"recording needs the library PortAudio: {error}; install it, on Debian and Ubuntu with: "
            "apt install libportaudio2"
        ) from error


def _reason(error: object) -> str:
    text = str(error.args[0] if isinstance(error, Exception) and error.args else error)
    return text.removeprefix("Error opening RawInputStream: ")
