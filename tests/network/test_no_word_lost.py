"""No word is lost and none doubled, whatever becomes of the line; the same program serves every v3 service."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
import wave
from pathlib import Path

import pytest
from background import background
from cut_conversation import Told, converse, random_harms
from hosted_replay import KEY as HOSTED_KEY
from hosted_replay import U3, US, Behaviour, HostedReplay
from positioned_tympan import script_of
from replayed_session import Profile
from running_service import KEY, Service, make_service
from speech_track import SpeechTrack
from tcp_proxy import Harm, How, Proxy

from tympan.client.aio import Timing

TRACK = SpeechTrack.counting(12)
CUTS = 40
SPEED = 20.0


def serving(track: SpeechTrack) -> Service:
    """A tympan that hears this track."""
    return make_service(script_of(track))


async def told_over_cut_line(port: int, key: str, seed: int, *, cuts: int = CUTS, told_share: float = 0.3) -> Told:
    mean_s = TRACK.duration_ms / 1000 / cuts
    harms = random_harms(
        random.Random(seed), cuts, mean_s, hows=(How.RESET, How.FIN), told_share=told_share, told_bytes_per_s=2_000
    )
    async with Proxy("127.0.0.1", port) as proxy:
        proxy.plan(*harms)
        told = await converse(proxy.url, key, TRACK.audio(), speed=SPEED)
        assert proxy.connections > 10
        return told


def assert_whole(told: Told) -> None:
    """Every word once, in order, at its own time, in turns that count up."""
    assert told.text.split() == [word.raw for word in TRACK.words]
    assert [(start, end) for _, start, end in told.words] == [(word.start_ms, word.end_ms) for word in TRACK.words]
    assert told.orders == list(range(len(told.orders)))


def test_a_resumed_conversation_is_told_exactly_as_an_uncut_one() -> None:
    with serving(TRACK) as service:
        uncut = asyncio.run(converse(service.url, KEY, TRACK.audio()))
        cut = asyncio.run(told_over_cut_line(service.port, KEY, 1))
    assert_whole(uncut)
    assert set(cut.how) == {"resumed"}
    assert (cut.raw, cut.formatted) == (uncut.raw, uncut.formatted)


def test_a_service_that_knows_no_resume_is_given_the_audio_again() -> None:
    async def scene() -> Told:
        async with HostedReplay(TRACK) as service:
            return await told_over_cut_line(service.port, HOSTED_KEY, 2, cuts=25, told_share=0.8)

    told = asyncio.run(scene())
    assert set(told.how) == {"replayed"}
    assert_whole(told)
    assert " ".join(text for _, text in told.formatted).split() == [word.text for word in TRACK.words]


def test_a_service_whose_finals_come_with_the_turn_is_given_the_turn_again() -> None:
    async def scene() -> Told:
        async with HostedReplay(TRACK, default=U3) as service:
            return await told_over_cut_line(service.port, HOSTED_KEY, 3, cuts=25, told_share=0.8)

    told = asyncio.run(scene())
    assert set(told.how) == {"replayed"}
    assert " ".join(text for _, text in told.formatted).split() == [word.text for word in TRACK.words]
    assert [order for order, _ in told.formatted] == list(range(len(told.formatted)))


@pytest.mark.parametrize(("code", "why"), [(3005, "it failed"), (3008, "it has lasted as long as it may")])
def test_a_session_that_the_service_ends_goes_on_in_another_one(code: int, why: str) -> None:
    async def scene() -> Told:
        async with HostedReplay(TRACK, behaviour=Behaviour(max_audio_ms=9_000, end_code=code)) as service:
            return await converse(service.url, HOSTED_KEY, TRACK.audio(), speed=2 * SPEED)

    told = asyncio.run(scene())
    assert told.how["replayed"] >= 3, why
    assert_whole(told)


def test_a_line_that_takes_audio_and_delivers_none_loses_no_word() -> None:
    def now() -> float:
        return time.monotonic() * SPEED

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / SPEED)

    async def scene() -> Told:
        async with HostedReplay(TRACK) as service, Proxy("127.0.0.1", service.port) as proxy:
            proxy.plan(Harm(How.HANG, after_bytes=10 * 32_000))
            timing = Timing(now, sleep)
            talking = asyncio.create_task(converse(proxy.url, HOSTED_KEY, TRACK.audio(), speed=SPEED, timing=timing))
            await asyncio.sleep(TRACK.duration_ms / 1000 / SPEED)  # half a minute of audio goes nowhere
            proxy.cut(How.RESET)
            return await talking

    told = asyncio.run(scene())
    assert told.how == {"replayed": 1}
    assert_whole(told)


def test_a_service_that_is_killed_and_started_again_loses_no_word() -> None:
    async def scene() -> Told:
        first, second = HostedReplay(TRACK), HostedReplay(TRACK)
        async with first, second, Proxy("127.0.0.1", first.port) as proxy:
            talking = asyncio.create_task(converse(proxy.url, HOSTED_KEY, TRACK.audio(), speed=SPEED))
            while not (first.visits and first.visits[0].session and first.visits[0].session.received_ms > 12_000):
                await asyncio.sleep(0.01)
            proxy.is_refusing = True
            proxy.cut(How.RESET)
            await asyncio.sleep(0.3)
            proxy.retarget(second.port)
            proxy.is_refusing = False
            told = await talking
            assert second.visits[0].session is not None
            return told

    told = asyncio.run(scene())
    assert told.lost_connections == 1
    assert_whole(told)


def run_program(url: str, key: str, recording: Path) -> list[str]:
    command = [sys.executable, str(Path(__file__).with_name("client_program.py")), url, key, str(recording)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "speech.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(SpeechTrack.load("sonny").audio())
    return path


SONNY_PRINTED = ["[560-1680] Hi, my name is Sonny.", "[3200-4560] I'd like a table for two.", "7 s"]


@pytest.mark.parametrize("path", ["", "/v3/ws?speech_model=universal-3-5-pro"], ids=["US", "U3"])
def test_one_program_serves_tympan(path: str, recording: Path) -> None:
    with serving(SpeechTrack.load("sonny")) as service:
        assert run_program(service.url + path, KEY, recording) == SONNY_PRINTED


@pytest.mark.parametrize("profile", [US, U3], ids=["US", "U3"])
def test_the_same_program_serves_the_hosted_service(profile: Profile, recording: Path) -> None:
    with background() as loop, loop.entered(HostedReplay(SpeechTrack.load("sonny"), default=profile)) as service:
        assert run_program(service.url, HOSTED_KEY, recording) == SONNY_PRINTED
