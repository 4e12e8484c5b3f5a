"""A microphone: nothing is lost in silence, every way to fail has a type, and the device is always released."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from virtual_clock import VirtualClock

from tympan.client.audio_source import AudioSource
from tympan.client.errors import AudioDeviceError
from tympan.client.microphone import AudioLoss, Microphone
from tympan.client.portaudio import DeviceInfo, choose_device, input_devices
from tympan.client.scripted_device import ScriptedDevice
from unhurried_loop import run_unhurried

SPEECH = [bytes([index + 1]) * 1_600 for index in range(4)]


def with_device(device: ScriptedDevice, what: Callable[[Microphone], Coroutine[Any, Any, Any]], **options: Any) -> Any:
    """Do something with an open microphone; it must be released afterwards, whatever happens."""

    async def use() -> Any:
        async with Microphone(device, **options) as microphone:
            assert device.is_open
            async with asyncio.timeout(60):
                return await what(microphone)

    try:
        return run_unhurried(use())
    finally:
        assert not device.is_open


async def take(microphone: Microphone, count: int) -> list[bytes]:
    chunks: list[bytes] = []
    async for chunk in microphone:
        chunks.append(chunk)
        if len(chunks) == count:
            break
    return chunks


def test_what_is_recorded_is_given_and_then_silence() -> None:
    device = ScriptedDevice(SPEECH, clock=VirtualClock())
    chunks = with_device(device, lambda microphone: take(microphone, 6))
    assert chunks == [*SPEECH, bytes(1_600), bytes(1_600)]


def test_a_stereo_device_is_heard_as_mono() -> None:
    device = ScriptedDevice([SPEECH[0] + SPEECH[0]], channels=2, clock=VirtualClock())
    assert with_device(device, lambda microphone: take(microphone, 1)) == [SPEECH[0]]


def test_closing_releases_the_device_and_gives_what_was_recorded() -> None:
    device = ScriptedDevice(SPEECH, clock=VirtualClock())

    async def close_early(microphone: Microphone) -> list[bytes]:
        assert isinstance(microphone, AudioSource)
        while device._clock.now() < 100.15:
            await asyncio.sleep(0)
        await microphone.close()
        assert not device.is_open
        return [chunk async for chunk in microphone]

    chunks = with_device(device, close_early)
    assert chunks[:2] == SPEECH[:2]


def test_a_device_that_is_unplugged_is_an_error_after_what_it_recorded() -> None:
    device = ScriptedDevice(SPEECH, clock=VirtualClock())
    got = []

    async def unplug(microphone: Microphone) -> None:
        async for chunk in microphone:
            got.append(chunk)
            if len(got) == 2:
                device.unplug()

    with pytest.raises(AudioDeviceError, match="'scripted' stopped by itself; was it unplugged"):
        with_device(device, unplug)
    assert got[:2] == SPEECH[:2]


def test_a_device_that_delivers_nothing_any_more_is_an_error() -> None:
    device = ScriptedDevice(SPEECH, clock=VirtualClock())

    async def freeze(microphone: Microphone) -> None:
        async for _ in microphone:
            device.freeze()

    with pytest.raises(AudioDeviceError, match=r"delivered nothing for 0.05 s"):
        with_device(device, freeze, stall_s=0.05)


def test_a_device_that_cannot_be_opened_is_an_error() -> None:
    device = ScriptedDevice(refusal="it is busy")
    with pytest.raises(AudioDeviceError, match="can't be opened: it is busy"):
        with_device(device, lambda microphone: take(microphone, 1))


def test_an_exception_of_the_user_releases_the_device() -> None:
    async def fail(microphone: Microphone) -> None:
        async for _ in microphone:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        with_device(ScriptedDevice(SPEECH, clock=VirtualClock()), fail)


def test_a_receiver_that_is_too_slow_is_told_what_was_lost() -> None:
    told: list[AudioLoss] = []
    device = ScriptedDevice(SPEECH, clock=VirtualClock())

    async def be_slow(microphone: Microphone) -> list[bytes]:
        while device._clock.now() < 100.29:
            await asyncio.sleep(0)
        return await take(microphone, 3)

    chunks = with_device(device, be_slow, capacity_ms=100, on_loss=told.append)
    assert chunks[:2] == SPEECH[:2]
    assert told[0].dropped_ms >= 150
    assert told[0].device_overflows == 0


def test_what_the_device_lost_itself_is_told() -> None:
    told: list[AudioLoss] = []
    device = ScriptedDevice(SPEECH, clock=VirtualClock())

    async def overflow(microphone: Microphone) -> None:
        async for _ in microphone:
            if told:
                return
            device.overflow()

    with_device(device, overflow, on_loss=told.append)
    assert told == [AudioLoss(dropped_ms=0, device_overflows=1)]


class ThreadedDevice(ScriptedDevice):
    """Delivers from a thread of its own, as PortAudio does."""

    def start(self, deliver: Callable[[bytes, bool], None], ended: Callable[[], None]) -> None:
        self.is_open = True
        self.thread = threading.Thread(target=lambda: [deliver(payload, False) for payload in SPEECH * 100])
        self.thread.start()

    def close(self) -> None:
        self.thread.join()
        super().close()


def test_audio_of_another_thread_comes_complete_and_in_order() -> None:
    assert with_device(ThreadedDevice(), lambda microphone: take(microphone, 400)) == SPEECH * 100


DEVICES = [
    DeviceInfo(0, "HDA Intel: ALC (hw:0,0)", 2, 44_100, False),
    DeviceInfo(3, "USB Microphone", 1, 48_000, True),
    DeviceInfo(4, "pulse", 32, 44_100, False),
    DeviceInfo(5, "USB Camera", 1, 16_000, False),
]


@pytest.mark.parametrize(
    ("wanted", "index"), [(None, 3), ("4", 4), ("pulse", 4), ("intel", 0), ("usb micro", 3), ("USB Camera", 5)]
)
def test_a_device_is_chosen_by_index_or_name_or_part_of_it(wanted: str | None, index: int) -> None:
    assert choose_device(DEVICES, wanted).index == index


@pytest.mark.parametrize(
    ("devices", "wanted", "message"),
    [
        ([], None, "this machine has no microphone"),
        (DEVICES, "9", "there is no microphone '9'; expected an index or a part of a name of: 0 'HDA"),
        (DEVICES, "usb", "2 microphones match 'usb'; .* of: 3 'USB Microphone', 5 'USB Camera'"),
    ],
)
def test_a_device_that_is_not_there_is_told_with_those_that_are(
    devices: list[DeviceInfo], wanted: str | None, message: str
) -> None:
    with pytest.raises(AudioDeviceError, match=message):
        choose_device(devices, wanted)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(AudioDeviceError, match=r'pip install "tympan\[mic\]"'):
        input_devices()
