"""A town of callers in virtual time: one event loop, one engine worker, no threads, no real clock.

The shell here does what the server's shell does with sockets and threads: it performs effects, wakes sessions
at their deadlines and gives seats their rounds. Everything follows from the seed.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from conversation import silence
from tympan.core.audio import AudioFormat, Encoding
from tympan.core.config import ConfigUpdate, Finality, OutputConfig, SessionConfig, SessionLimits, TurnConfig
from tympan.core.continuity import Continuity
from tympan.core.effects import Close, Control, Effect, Emit, Feed, Mark
from tympan.core.errors import MalformedMessage, TympanError
from tympan.core.events import Event
from tympan.core.listening import ListenerOutput
from tympan.core.session import Session
from tympan.core.units import Monotonic
from tympan.core.words import Report
from tympan.engines.scripted import Script, ScriptedStream, ScriptedWord
from tympan.runtime.listener import Listener
from tympan.runtime.ready import ReadyQueue
from tympan.runtime.worker import Seat

ROUND_COST_S = 0.0003
"""Virtual time of one round: up to 8 pieces of 200 ms, and overhead; fast enough for all at once."""


class Loop:
    """What happens next, at what virtual time."""

    def __init__(self) -> None:
        self.now = 0.0
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def at(self, time_s: float, action: Callable[[], None]) -> None:
        assert time_s >= self.now, "the past can't be scheduled"
        heapq.heappush(self._queue, (time_s, next(self._count), action))

    def run(self) -> None:
        while self._queue:
            self.now, _, action = heapq.heappop(self._queue)
            action()


class TownStream(ScriptedStream):
    """A scripted stream that may break, and that tells whether it was freed."""

    def __init__(self, script: Script, finality: Finality, breaks_at_ms: int | None) -> None:
        super().__init__(script, finality)
        self._breaks_at_ms = breaks_at_ms
        self.is_freed = False

    def step(self) -> Report | None:
        report = super().step()
        if self._breaks_at_ms is not None and report is not None and report.judged_until_ms >= self._breaks_at_ms:
            raise RuntimeError("the tape tore")
        return report

    def close(self) -> None:
        self.is_freed = True


class Engine:
    """One worker's rounds in virtual time, each of which costs as much."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._ready: ReadyQueue[Seat] = ReadyQueue()
        self._is_busy = False

    def give(self, seat: Seat, item: bytes | Control) -> None:
        if not seat.is_closed:
            seat.inbox.append(item)
            self._make_ready(seat)

    def remove(self, seat: Seat) -> None:
        if not seat.is_closed:
            seat.is_closed = True
            seat.inbox.clear()
            self._make_ready(seat)

    def _make_ready(self, seat: Seat) -> None:
        if not seat.is_ready:
            seat.is_ready = True
            self._ready.put(seat)
            self._schedule()

    def _schedule(self) -> None:
        if self._ready and not self._is_busy:
            self._is_busy = True
            self._loop.at(self._loop.now + ROUND_COST_S, self._serve)

    def _serve(self) -> None:
        seat = self._ready.take()
        if seat.is_closed:
            seat.free()
        else:
            items = list(seat.inbox)
            seat.inbox.clear()
            seat.take(items)
            has_more = seat.listen(self._ready.is_overtaken)
            seat.served_s += ROUND_COST_S
            seat.is_ready = False
            if has_more or seat.inbox or seat.is_closed:
                self._make_ready(seat)
        self._is_busy = False
        self._schedule()


@dataclass(frozen=True)
class Client:
    """Who calls: how the session is configured and what is sent when; `steps` are (seconds later, what)."""

    kind: str
    script: Script
    config: SessionConfig
    steps: list[tuple[float, bytes | str | ConfigUpdate]]
    breaks_at_ms: int | None = None


@dataclass
class Call:
    """One session and its shell, with a record of everything."""

    client: Client
    loop: Loop
    engine: Engine
    events: list[Event] = field(default_factory=list)
    told_at: list[float] = field(default_factory=list)
    items: list[bytes | Control] = field(default_factory=list)
    error: TympanError | None = None
    close_count: int = 0
    closed_at: float | None = None
    last_message_at: float = 0.0
    began_at: float = 0.0
    longest_backlog_ms: int = 0

    def begin(self) -> None:
        self.began_at = self.last_message_at = self.loop.now
        self.session = Session("s", self.client.config, Monotonic(self.loop.now))
        self.continuity = Continuity(RESUME_WINDOW_S)
        self.stream = TownStream(self.client.script, self.client.config.turn.finality, self.client.breaks_at_ms)
        self.seat = Seat(Listener(self.stream, self.client.config), self._heard, "scripted")
        self._timer_at: float | None = None
        self._steps: Iterator[tuple[float, bytes | str | ConfigUpdate]] = iter(self.client.steps)
        self._perform(self.session.begin(0))
        self._schedule_next()

    def _schedule_next(self) -> None:
        step = next(self._steps, None)
        if step is not None:
            delay_s, what = step
            self.loop.at(self.loop.now + delay_s, lambda: self._send(what))

    def _send(self, what: bytes | str | ConfigUpdate) -> None:
        if self.closed_at is not None:
            return
        self._check_deadline()
        now = Monotonic(self.loop.now)
        self.last_message_at = self.loop.now
        match what:
            case bytes():
                self._perform(self.session.receive_audio(what, now))
            case ConfigUpdate():
                self._perform(self.session.receive_update(what, now))
            case "keep alive":
                self._perform(self.session.receive_keep_alive(now))
            case "force":
                self._perform(self.session.receive_force_endpoint(now))
            case "terminate":
                self._perform(self.session.receive_terminate(now))
            case "garbage":
                self._perform(self.session.refuse(MalformedMessage("Invalid JSON")))
            case "vanish":
                self._perform(self.session.close())
                self._end()
            case "lose the line":
                self._perform(self.session.receive_lost(now))
                self.continuity.receive_lost(now)
                deadline = self.continuity.deadline()
                assert deadline is not None
                self.loop.at(deadline, self._give_up)
            case "come back":
                self.continuity.receive_resumed()
                self._perform(self.session.receive_resumed(now))
            case _:
                raise AssertionError(what)
        self._schedule_next()

    def _give_up(self) -> None:
        self.continuity.advance(Monotonic(self.loop.now))
        if self.continuity.is_over and self.closed_at is None:
            self._perform(self.session.close())
            self._end()

    def _heard(self, output: ListenerOutput) -> None:
        if self.closed_at is None:
            self._check_deadline()
        self._perform(self.session.receive_heard(output, Monotonic(self.loop.now)))

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            assert self.closed_at is None, "nothing is done after the close"
            match effect:
                case Emit(event):
                    self.events.append(event)
                    self.told_at.append(self.loop.now)
                case Feed(payload):
                    self._give(payload)
                case Mark(control):
                    self._give(control)
                case Close(error):
                    self.error = error
                    self.close_count += 1
                    self._end()
        self.longest_backlog_ms = max(self.longest_backlog_ms, self.session.backlog_ms)
        self._set_timer()

    def _give(self, item: bytes | Control) -> None:
        self.items.append(item)
        self.engine.give(self.seat, item)

    def _end(self) -> None:
        self.closed_at = self.loop.now
        self.engine.remove(self.seat)

    def _check_deadline(self) -> None:
        deadline = self.session.deadline()
        assert deadline is None or self.loop.now <= deadline, "a deadline was missed"

    def _set_timer(self) -> None:
        deadline = self.session.deadline()
        if deadline is not None and (self._timer_at is None or deadline < self._timer_at):
            self._timer_at = deadline
            self.loop.at(deadline, self._wake)

    def _wake(self) -> None:
        self._timer_at = None
        if self.closed_at is None:
            self._check_deadline()
            self._perform(self.session.advance(Monotonic(self.loop.now)))


INACTIVITY_S = 20
RESUME_WINDOW_S = 30
MAX_DURATION_S = 400
CHUNK_MS = 250


def client(kind: str, seed: int) -> Client:
    """A random client of one kind; every other one wants whole turns, and to be told of silence and time."""
    rng = random.Random(f"{kind} {seed}")
    is_telephone = rng.random() < 0.1
    audio = AudioFormat(Encoding.PCM_MULAW, 8000) if is_telephone else AudioFormat()
    limits = SessionLimits(inactivity_timeout_s=INACTIVITY_S, max_duration_s=MAX_DURATION_S)
    steps = _with_controls(list(_STEPS[kind](rng, audio)), rng)
    breaks_at_ms = rng.randrange(1000, 20_000) if kind == "broken" else None
    config = SessionConfig(audio=audio, limits=limits)
    if seed % 2:
        turn = TurnConfig(0.4, 100, rng.choice([100, 1000]), finality=Finality.TURN)
        config = replace(config, turn=turn, output=OutputConfig(has_heartbeat=True, has_silence=True))
    return Client(kind, _script(rng), config, steps, breaks_at_ms)


def _script(rng: random.Random) -> Script:
    words: list[ScriptedWord] = []
    end_ms = 0
    while end_ms < MAX_DURATION_S * 1000:
        start_ms = end_ms + rng.choice([0, 0, 0, 0, 100, 400, 700, 2000, 8000])
        end_ms = start_ms + rng.randrange(60, 500)
        score = rng.choice([0.1, 0.39, 0.41, 0.9])
        words.append(ScriptedWord(f"w{len(words)}", start_ms, end_ms, end_of_turn_confidence=score))
    return Script(tuple(words), frame_ms=200)


Steps = Iterator[tuple[float, bytes | str | ConfigUpdate]]


def _talk(
    rng: random.Random, audio: AudioFormat, seconds: float, *, pace: float = 1.0, chunk_ms: int = CHUNK_MS
) -> Steps:
    """Audio in chunks that are sometimes odd, `pace` times as slow as real time."""
    whole = silence(chunk_ms, audio)
    for _ in range(int(seconds * 1000 / chunk_ms)):
        yield chunk_ms / 1000 * pace, whole[: len(whole) - rng.choice([0, 0, 1, 7])]


def _steady(rng: random.Random, audio: AudioFormat) -> Steps:
    yield from _talk(rng, audio, rng.uniform(20, 150))
    yield 0.0, "terminate"
    yield 0.0, silence(100, audio)  # too late, and ignored


def _slow(rng: random.Random, audio: AudioFormat) -> Steps:
    yield from _talk(rng, audio, rng.uniform(10, 60), pace=3)
    yield 0.0, "force"
    yield 0.0, "terminate"


def _bursty(rng: random.Random, audio: AudioFormat) -> Steps:
    for _ in range(rng.randrange(2, 20)):
        yield rng.uniform(0, INACTIVITY_S - 1), b""
        yield from _talk(rng, audio, rng.uniform(0, 15), pace=0)
    yield 0.0, "terminate"


def _file(rng: random.Random, audio: AudioFormat) -> Steps:
    yield from _talk(rng, audio, 290, pace=0, chunk_ms=10_000)
    yield 0.0, "terminate"


def _flood(rng: random.Random, audio: AudioFormat) -> Steps:
    yield from _talk(rng, audio, 400, pace=0, chunk_ms=10_000)


def _lost(rng: random.Random, audio: AudioFormat) -> Steps:
    yield from _talk(rng, audio, rng.uniform(1, 100))
    yield 0.0, "vanish"


def _flaky(rng: random.Random, audio: AudioFormat) -> Steps:
    for _ in range(rng.randrange(1, 6)):
        yield from _talk(rng, audio, rng.uniform(0, 20))
        yield 0.0, "lose the line"
        yield rng.uniform(0, RESUME_WINDOW_S - 1), "come back"
    yield from _talk(rng, audio, rng.uniform(0, 20), pace=0)  # what was said meanwhile
    yield 0.0, "terminate"


def _gone(rng: random.Random, audio: AudioFormat) -> Steps:
    yield from _talk(rng, audio, rng.uniform(1, 100))
    yield 0.0, "lose the line"


def _silent(rng: random.Random, audio: AudioFormat) -> Steps:
    yield from _talk(rng, audio, rng.uniform(0, 40))


def _idle(rng: random.Random, audio: AudioFormat) -> Steps:
    for _ in range(10):
        yield INACTIVITY_S - 0.5, "keep alive"
    yield 0.0, "terminate"


def _endless(rng: random.Random, audio: AudioFormat) -> Steps:
    yield from _talk(rng, audio, MAX_DURATION_S + 60, pace=1.1)


def _rude(rng: random.Random, audio: AudioFormat) -> Steps:
    yield from _talk(rng, audio, rng.uniform(1, 30))
    yield 0.0, "garbage"


_STEPS: dict[str, Callable[[random.Random, AudioFormat], Steps]] = {
    "steady": _steady,
    "slow": _slow,
    "bursty": _bursty,
    "file": _file,
    "flood": _flood,
    "lost": _lost,
    "flaky": _flaky,
    "gone": _gone,
    "silent": _silent,
    "idle": _idle,
    "endless": _endless,
    "rude": _rude,
    "broken": _steady,
}
KINDS = tuple(_STEPS)


def _with_controls(
    steps: list[tuple[float, bytes | str | ConfigUpdate]], rng: random.Random
) -> list[tuple[float, bytes | str | ConfigUpdate]]:
    mixed: list[tuple[float, bytes | str | ConfigUpdate]] = []
    for step in steps:
        mixed.append(step)
        if isinstance(step[1], bytes) and rng.random() < 0.03:
            update = ConfigUpdate(
                confidence_threshold=rng.choice([None, 0.0, 0.4, 1.0]),
                min_silence_ms=rng.choice([None, 100, 400, 2000]),
                max_silence_ms=rng.choice([None, 500, 1280]),
                partial_delay_ms=rng.choice([None, 0, 1000]),
                has_continuous_partials=rng.choice([None, True, False]),
            )
            controls: list[str | ConfigUpdate] = ["force", "force", "keep alive", update]
            mixed.append((0.0, rng.choice(controls)))
    return mixed


def simulate(clients: list[Client], *, arrivals_s: float) -> list[Call]:
    """All calls, begun evenly over `arrivals_s` and followed to the end of everything."""
    loop = Loop()
    engine = Engine(loop)
    calls = [Call(client, loop, engine) for client in clients]
    for index, call in enumerate(calls):
        loop.at(arrivals_s * index / len(calls), call.begin)
    loop.run()
    return calls
