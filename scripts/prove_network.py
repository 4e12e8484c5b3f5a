"""Proofs of the client on a broken network, over real speech: takes minutes, prints one row a proof.

    make prove ARGS="cuts --cuts 200"          a tympan that keeps sessions, and one that doesn't
    make prove ARGS="restarts --cuts 10"       a server that is killed (SIGKILL) and started again
    make prove ARGS="hours --hours 8"          a microphone for hours, faster than real time, with a cut every
                                               ten minutes: what the client's process holds (no real speech)

The speech is the recorded conversations where they are at hand, else the recording of the model's package. The
transcript is compared with that of an uncut conversation with the same server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import hours_of_microphone
import psutil
from bench.dataset import Samples, load, wheel_sample
from bench.scoring import word_errors
from bench.server import API_KEY, COMMAND, Server
from cut_conversation import Difference, Told, converse, differences, random_harms
from hosted_replay import KEY as HOSTED_KEY
from hosted_replay import HostedReplay
from hours_of_microphone import hours_track
from tcp_proxy import How, Proxy

_DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
_RATE_HZ = 16_000
_BEFORE_MS, _AFTER_MS = 1_000, 2_000
"""What a seam can be blamed for: the word before it, and those that a new session hears without context."""

_SHIFT_SAMPLES = 112
"""7 ms, which no frame or step of the engine divides: a new session seldom begins where the old one's steps fell."""

_CUT_HOWS = (How.RESET, How.FIN)


@dataclass(frozen=True)
class Spoken:
    """A recording and what it says."""

    id: str
    samples: Samples
    text: str

    @property
    def audio_s(self) -> float:
        return len(self.samples) / _RATE_HZ


@dataclass(frozen=True)
class Row:
    """One conversation against its uncut twin."""

    server: str
    spoken: Spoken
    expected: Told
    got: Told
    wall_s: float

    def print(self) -> None:
        found = differences(self.expected, self.got)
        lost = sum(max(0, len(one.expected) - len(one.got)) for one in found)
        added = sum(max(0, len(one.got) - len(one.expected)) for one in found)
        changed = sum(min(len(one.expected), len(one.got)) for one in found)
        how = ", ".join(f"{count} {name}" for name, count in sorted(self.got.how.items())) or "uncut"
        print(
            f"{self.server} {self.spoken.id}: {self.spoken.audio_s:.0f} s, {len(self.expected.words)} words, {how}; "
            f"lost {lost}, added {added} ({self._repeats()} repeats), changed {changed}; {self._sameness()}; "
            f"word errors against the truth {self._errors(self.expected)} uncut, {self._errors(self.got)} cut "
            f"({self.wall_s:.0f} s)"
        )
        print(f"    {self._at_seams(found)}")
        for one in found:
            texts = f"{' '.join(one.expected) or '-'} → {' '.join(one.got) or '-'}"
            print(f"    at {one.at_ms} ms: {texts}")
        sys.stdout.flush()

    def _at_seams(self, found: Sequence[Difference]) -> str:
        """How many words differ near a seam, at most at one, and elsewhere."""
        seams = sorted(set(self.got.seams_ms))
        errors = dict.fromkeys(seams, 0)
        elsewhere = 0
        for one in found:
            near = [seam_ms for seam_ms in seams if seam_ms - _BEFORE_MS <= one.at_ms <= seam_ms + _AFTER_MS]
            if near:
                errors[min(near, key=lambda seam_ms: abs(seam_ms - one.at_ms))] += one.word_count
            else:
                elsewhere += one.word_count
        worst = max(errors.values(), default=0)
        return (
            f"{len(seams)} different seams; words that differ: {sum(errors.values())} near them "
            f"(at most {worst} at one), {elsewhere} elsewhere"
        )

    def _repeats(self) -> int:
        """Words told twice in a row that the uncut conversation tells once."""
        counts = [sum(a == b for a, b in pairwise(told.text.lower().split())) for told in (self.got, self.expected)]
        return max(0, counts[0] - counts[1])

    def _sameness(self) -> str:
        if (self.expected.raw, self.expected.formatted) == (self.got.raw, self.got.formatted):
            return "words, times, turns and formatted text equal"
        return "words, times or turns differ"

    def _errors(self, told: Told) -> str:
        return f"{word_errors(self.spoken.text, told.text).percent:.1f} %"


def recordings() -> list[Spoken]:
    """What is said: about eleven minutes of conversation, or 44 s."""
    if _DATA.is_dir():
        found = load(_DATA).recordings
        return [Spoken(one.id, one.samples(), " ".join(turn.text for turn in one.turns)) for one in found]
    return [Spoken(one.id, one.samples(), one.text) for one in wheel_sample().utterances]


async def prove_cuts(server: Server, name: str, cuts: int, speed: float, seed: int, *, told_share: float) -> None:
    """Cut the line at random moments, so many times over all recordings."""
    everything = recordings()
    total_s = sum(spoken.audio_s for spoken in everything)
    for number, spoken in enumerate(everything):
        audio, share = spoken.samples.tobytes(), round(cuts * spoken.audio_s / total_s)
        expected = await converse(server.address, API_KEY, audio)
        async with Proxy("127.0.0.1", int(server.address.rpartition(":")[2])) as proxy:
            chance = random.Random(seed + number)
            proxy.plan(*random_harms(chance, share, spoken.audio_s / share, hows=_CUT_HOWS, told_share=told_share))
            started = time.monotonic()
            got = await converse(proxy.url, API_KEY, audio, speed=speed)
        Row(name, spoken, expected, got, time.monotonic() - started).print()
        if name == "plain":  # what the engine alone makes of other steps
            started = time.monotonic()
            shifted = await converse(server.address, API_KEY, b"\0\0" * _SHIFT_SAMPLES + audio)
            Row("shifted by 7 ms,", spoken, expected, shifted, time.monotonic() - started).print()


async def prove_restarts(kills: int, speed: float, seed: int) -> None:
    """Kill the server at random moments and start another one, while the client goes on."""
    spoken = max(recordings(), key=lambda one: one.audio_s)
    audio = spoken.samples.tobytes()
    chance = random.Random(seed)
    server = Server().__enter__()
    try:
        expected = await converse(server.address, API_KEY, audio)
        async with Proxy("127.0.0.1", int(server.address.rpartition(":")[2])) as proxy:

            async def kill_and_start() -> None:
                nonlocal server
                for _ in range(kills):
                    await asyncio.sleep(chance.uniform(0.3, 1.7) * spoken.audio_s / speed / (kills + 1))
                    server.kill()
                    server.__exit__(None, None, None)
                    server = await asyncio.to_thread(Server().__enter__)
                    proxy.retarget(int(server.address.rpartition(":")[2]))

            started = time.monotonic()
            killing = asyncio.create_task(kill_and_start())
            got = await converse(proxy.url, API_KEY, audio, speed=speed)
            killing.cancel()
            await asyncio.gather(killing, return_exceptions=True)
        Row(f"killed {kills} times,", spoken, expected, got, time.monotonic() - started).print()
    finally:
        server.__exit__(None, None, None)


def prove_cuts_of(names: Sequence[str], cuts: int, speed: float, seed: int) -> None:
    """A tympan that keeps the sessions of lost connections, one that doesn't, or both."""
    for name in names:
        window_s, told_share = {"resume": ("30", 0.3), "plain": ("0", 0.95)}[name]
        with Server(environment={"TYMPAN_RESUME_WINDOW_S": window_s}) as server:
            asyncio.run(prove_cuts(server, name, cuts, speed, seed, told_share=told_share))


async def prove_hours(hours: float, speed: float, *, is_hosted: bool) -> None:
    """What a client holds over hours of a microphone, against tympan or the replayed hosted service."""
    track = hours_track(hours)
    if is_hosted:
        async with HostedReplay(track) as service:
            await _listen_for_hours(service.port, HOSTED_KEY, hours, speed, psutil.Process())
        return
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.json"
        words = [{"text": word.raw, "start_ms": word.start_ms, "end_ms": word.end_ms} for word in track.words]
        for turn in range(5, len(words), 6):
            words[turn]["end_of_turn_confidence"] = 0.9
        script.write_text(json.dumps({"frame_ms": 100, "words": words}))
        with Server([*COMMAND, "--engine", "scripted", "--model", str(script)]) as server:
            port = int(server.address.rpartition(":")[2])
            await _listen_for_hours(port, API_KEY, hours, speed, server.process)


async def _listen_for_hours(port: int, key: str, hours: float, speed: float, server: psutil.Process) -> None:
    program = Path(hours_of_microphone.__file__)
    async with Proxy("127.0.0.1", port) as proxy:
        arguments = (sys.executable, str(program), proxy.url, key, str(hours), str(speed))
        listening = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
        assert listening.stdout is not None

        async def cut_every_ten_minutes() -> None:
            while True:
                await asyncio.sleep(600 / speed)
                proxy.cut(How.RESET)

        cutting = asyncio.create_task(cut_every_ten_minutes())
        while line := await listening.stdout.readline():
            held = json.loads(line)
            held["server_rss_mb"] = round(server.memory_info().rss / 2**20, 1)
            held["server_descriptors"] = server.num_fds()
            print("  ".join(f"{name} {value}" for name, value in held.items()), flush=True)
        cutting.cancel()
        print("exit code", await listening.wait())


def main() -> int:
    parser = argparse.ArgumentParser(description="Prove that no word is lost on a broken network.")
    parser.add_argument("proof", choices=["cuts", "restarts", "hours"])
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--speed", type=float, default=3.0, help="times as fast as a microphone")
    parser.add_argument("--servers", nargs="+", choices=["resume", "plain"], default=["resume", "plain"])
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--hosted", action="store_true", help="hours: against the replayed hosted service")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    proofs: dict[str, Callable[[], None]] = {
        "cuts": lambda: prove_cuts_of(options.servers, options.cuts, options.speed, options.seed),
        "restarts": lambda: asyncio.run(prove_restarts(options.cuts, options.speed, options.seed)),
        "hours": lambda: asyncio.run(prove_hours(options.hours, options.speed, is_hosted=options.hosted)),
    }
    proofs[options.proof]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
