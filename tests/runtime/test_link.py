"""LocalLink and its workers, on real threads with scripted streams; no clock decides anything here."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from conversation import listen, silence, text_of
from tympan.core.config import SessionConfig
from tympan.core.effects import Control, Finish, ForceEndpoint
from tympan.core.errors import EngineError
from tympan.core.events import EndReason, TurnEnded, TurnEvent
from tympan.core.listening import Heard, ListenerOutput, ListeningFailed
from tympan.core.words import Report, TurnText
from tympan.engines.base import Capabilities, Samples, Stream, StreamOptions
from tympan.engines.scripted import Script, ScriptedStream, ScriptedWord
from tympan.runtime.link import LocalLink
from tympan.runtime.listener import Listener
from tympan.runtime.ready import CREDIT_S
from tympan.runtime.worker import PIECES_PER_ROUND, Seat, Worker

PATIENCE_S = 60.0
"""How long a test waits for another thread before it fails; never how long anything takes."""

CONFIG = SessionConfig()


def say(text: str, *, at_ms: int = 0) -> Script:
    words = text.split()
    return Script(
        tuple(ScriptedWord(word, at_ms + 200 * index, at_ms + 200 * (index + 1)) for index, word in enumerate(words))
    )


class TapeStream:
    """A scripted stream that shows its life: who steps it, where it waits, when it breaks, that it is freed."""

    def __init__(self, script: Script, log: list[TapeStream]) -> None:
        self._stream = ScriptedStream(script)
        self._log = log
        self._steps = 0
        self.threads: set[str] = set()
        self.halts_at_step: int | None = None
        self.is_halted = threading.Event()
        self.fails_at_ms: int | None = None
        self.failure: Exception = RuntimeError("the tape tore")
        self.close_failure: Exception | None = None
        self.is_stepping = threading.Event()
        self.may_step = threading.Event()
        self.may_step.set()
        self.is_freed = threading.Event()

    def accept(self, samples: Samples) -> None:
        self._stream.accept(samples)

    def step(self) -> Report | None:
        self.threads.add(threading.current_thread().name)
        self._log.append(self)
        self._steps += 1
        if self._steps == self.halts_at_step:
            self.may_step.clear()
            self.is_halted.set()
        self.is_stepping.set()
        assert self.may_step.wait(PATIENCE_S)
        report = self._stream.step()
        if report is not None and self.fails_at_ms is not None and report.judged_until_ms >= self.fails_at_ms:
            raise self.failure
        return report

    def look(self) -> Report:
        return self._stream.look()

    def hear_out(self) -> Report:
        return self._stream.hear_out()

    def read(self) -> Report:
        return self._stream.read()

    def end_turn(self) -> TurnText:
        return self._stream.end_turn()

    def finish(self) -> None:
        self._stream.finish()

    def configure(self, options: StreamOptions) -> None:
        self._stream.configure(options)

    def close(self) -> None:
        self.is_freed.set()
        if self.close_failure is not None:
            raise self.close_failure


class TapeRecognizer:
    """Opens the streams that a test has made, in order."""

    name = "tape"
    model = "tape"
    capabilities = Capabilities(languages=("en",), has_formatting=False)

    def __init__(self) -> None:
        self.steps: list[TapeStream] = []
        self._streams: list[TapeStream] = []

    def record(self, script: Script | None = None) -> TapeStream:
        stream = TapeStream(script or Script(), self.steps)
        self._streams.append(stream)
        return stream

    def open_stream(self, options: StreamOptions) -> Stream:
        return self._streams.pop(0)

    def close(self) -> None:
        """Tapes hold nothing."""


class Receiver:
    """What one session is told."""

    def __init__(self) -> None:
        self.outputs: list[ListenerOutput] = []
        self.is_over = threading.Event()

    def __call__(self, output: ListenerOutput) -> None:
        self.outputs.append(output)
        if isinstance(output, ListeningFailed) or output.is_finished:
            self.is_over.set()

    def wait(self) -> Receiver:
        assert self.is_over.wait(PATIENCE_S), "the session was never told its end"
        return self

    @property
    def events(self) -> list[TurnEvent]:
        return [event for output in self.outputs if isinstance(output, Heard) for event in output.events]

    @property
    def turns(self) -> list[str]:
        return [text_of(event.words) for event in self.events if isinstance(event, TurnEnded)]


@pytest.fixture
def recognizer() -> TapeRecognizer:
    return TapeRecognizer()


@pytest.fixture
def link(recognizer: TapeRecognizer) -> Iterator[LocalLink]:
    link = LocalLink(recognizer, worker_count=1)
    yield link
    link.shut_down()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("tympan-engine")]


def join(link: LocalLink, session_id: str) -> Receiver:
    receiver = Receiver()
    link.open(session_id, CONFIG, receiver)
    return receiver


def send(link: LocalLink, session_id: str, *items: bytes | Control) -> None:
    for item in items:
        if isinstance(item, bytes):
            link.feed(session_id, item)
        else:
            link.mark(session_id, item)


def test_a_session_hears_what_its_listener_alone_would_tell_in_order(
    recognizer: TapeRecognizer, link: LocalLink
) -> None:
    script = say("book a table for two")
    items: list[bytes | Control] = [silence(900), ForceEndpoint(), silence(2000), Finish()]
    recognizer.record(script)
    receiver = join(link, "a")
    send(link, "a", *items)
    assert receiver.wait().events == listen(script, CONFIG, items)
    assert receiver.turns == ["book a table for", "two"]


def test_positions_never_go_back_and_end_at_the_last_sample(recognizer: TapeRecognizer, link: LocalLink) -> None:
    recognizer.record()
    receiver = join(link, "a")
    send(link, "a", silence(1234), Finish())
    receiver.wait()
    positions = [output.judged_until_ms for output in receiver.outputs if isinstance(output, Heard)]
    assert positions == sorted(positions)
    assert positions[-1] == 1234


@pytest.mark.parametrize("worker_count", [1, 3])
def test_sessions_side_by_side_never_mix(worker_count: int) -> None:
    recognizer = TapeRecognizer()
    link = LocalLink(recognizer, worker_count)
    texts = {f"s{index}": f"I am caller {index}" for index in range(12)}
    receivers = {}
    for session_id, text in texts.items():
        recognizer.record(say(text))
        receivers[session_id] = join(link, session_id)
    for _ in range(20):
        for session_id in texts:
            link.feed(session_id, silence(100))
    for session_id in texts:
        link.mark(session_id, Finish())
    told = {session_id: receiver.wait().turns for session_id, receiver in receivers.items()}
    link.shut_down()
    assert told == {session_id: [text] for session_id, text in texts.items()}


def test_a_session_stays_with_one_worker_and_workers_share_the_sessions() -> None:
    recognizer = TapeRecognizer()
    link = LocalLink(recognizer, worker_count=2)
    tapes = [recognizer.record() for _ in range(4)]
    receivers = [join(link, str(index)) for index in range(4)]
    for _ in range(10):
        for index in range(4):
            link.feed(str(index), silence(100))
    for index in range(4):
        link.mark(str(index), Finish())
    for receiver in receivers:
        receiver.wait()
    link.shut_down()
    assert sorted(name for tape in tapes for name in tape.threads) == [
        "tympan-engine-0",
        "tympan-engine-0",
        "tympan-engine-1",
        "tympan-engine-1",
    ]


def test_a_stream_that_fails_ends_its_session_and_no_other(
    recognizer: TapeRecognizer, link: LocalLink, caplog: pytest.LogCaptureFixture
) -> None:
    broken = recognizer.record(say("never told"))
    broken.fails_at_ms = 500
    recognizer.record(say("all is well"))
    unlucky, lucky = join(link, "unlucky"), join(link, "lucky")
    for _ in range(10):
        link.feed("unlucky", silence(100))
        link.feed("lucky", silence(100))
    link.mark("lucky", Finish())
    assert lucky.wait().turns == ["all is well"]
    (failed,) = [output for output in unlucky.wait().outputs if isinstance(output, ListeningFailed)]
    assert failed is unlucky.outputs[-1]
    assert str(failed.error) == "engine 'tape' failed: the tape tore"
    assert broken.is_freed.is_set()
    assert "engine failed" in caplog.text


def test_an_engine_s_own_error_is_told_as_it_is(recognizer: TapeRecognizer, link: LocalLink) -> None:
    broken = recognizer.record()
    broken.fails_at_ms = 20
    broken.failure = EngineError("tape", "no tape in the machine")
    receiver = join(link, "a")
    send(link, "a", silence(20))
    assert receiver.wait().outputs == [ListeningFailed(broken.failure)]


def test_nothing_is_told_after_a_failure_whatever_still_comes(recognizer: TapeRecognizer, link: LocalLink) -> None:
    recognizer.record().fails_at_ms = 20
    recognizer.record()
    unlucky, other = join(link, "unlucky"), join(link, "other")
    send(link, "unlucky", silence(20))
    unlucky.wait()
    send(link, "unlucky", silence(1000), ForceEndpoint(), Finish())
    send(link, "other", silence(1000), Finish())
    other.wait()  # one worker: the unlucky session's round is over too
    assert len(unlucky.outputs) == 1


def test_a_stream_that_cannot_even_be_closed_leaves_the_worker_alive(
    recognizer: TapeRecognizer, link: LocalLink, caplog: pytest.LogCaptureFixture
) -> None:
    jammed = recognizer.record()
    jammed.close_failure = RuntimeError("jammed")
    recognizer.record(say("all is well"))
    join(link, "jammed")
    well = join(link, "well")
    link.close("jammed")
    send(link, "well", silence(500), silence(500), Finish())
    assert well.wait().turns == ["all is well"]
    assert jammed.is_freed.is_set()
    assert "closing a stream failed" in caplog.text


def test_a_receiver_that_is_gone_leaves_the_worker_alive(
    recognizer: TapeRecognizer, link: LocalLink, caplog: pytest.LogCaptureFixture
) -> None:
    def gone(output: ListenerOutput) -> None:
        raise RuntimeError("the loop is closed")

    recognizer.record()
    recognizer.record(say("all is well"))
    link.open("gone", CONFIG, gone)
    well = join(link, "well")
    send(link, "gone", silence(100), Finish())
    send(link, "well", silence(1000), Finish())
    assert well.wait().turns == ["all is well"]
    assert "delivery failed" in caplog.text


def test_a_session_closed_while_it_is_heard_frees_its_stream(recognizer: TapeRecognizer, link: LocalLink) -> None:
    tape = recognizer.record()
    tape.may_step.clear()
    receiver = join(link, "a")
    send(link, "a", silence(60_000))
    assert tape.is_stepping.wait(PATIENCE_S)
    link.close("a")
    assert not tape.is_freed.is_set()  # not under the worker's feet
    tape.may_step.set()
    assert tape.is_freed.wait(PATIENCE_S)
    assert len(receiver.outputs) <= 1  # the round that was under way, of 3000 pieces
    assert len(recognizer.steps) <= PIECES_PER_ROUND + 1


def test_closing_twice_and_speaking_after_the_close_are_harmless(recognizer: TapeRecognizer, link: LocalLink) -> None:
    recognizer.record()
    recognizer.record()
    closed, other = join(link, "closed"), join(link, "other")
    link.close("closed")
    link.close("closed")
    send(link, "closed", silence(100), Finish())
    send(link, "other", Finish())
    other.wait()
    assert closed.outputs == []


def test_a_session_that_has_finished_can_be_closed(recognizer: TapeRecognizer, link: LocalLink) -> None:
    tape = recognizer.record()
    receiver = join(link, "a")
    send(link, "a", Finish())
    receiver.wait()
    link.close("a")
    assert tape.is_freed.wait(PATIENCE_S)


def test_shutting_down_frees_every_stream_and_leaves_no_thread() -> None:
    recognizer = TapeRecognizer()
    before = set(threading.enumerate())
    link = LocalLink(recognizer, worker_count=3)
    tapes = [recognizer.record() for _ in range(7)]
    for index in range(7):
        join(link, str(index))
        link.feed(str(index), silence(5000))
    link.shut_down()
    link.shut_down()
    assert set(threading.enumerate()) <= before
    assert all(tape.is_freed.is_set() for tape in tapes)


@pytest.fixture
def counting_link(recognizer: TapeRecognizer) -> Iterator[LocalLink]:
    """Steps count instead of processor time: 16 of them take a seat's whole credit."""
    link = LocalLink(recognizer, worker_count=1, clock=lambda: len(recognizer.steps) * CREDIT_S / 16)
    yield link
    link.shut_down()


def test_a_file_sent_at_once_does_not_starve_a_live_session(
    recognizer: TapeRecognizer, counting_link: LocalLink
) -> None:
    link = counting_link
    file, live = recognizer.record(), recognizer.record()
    file.may_step.clear()
    file_receiver, live_receiver = join(link, "file"), LiveReceiver(link, chunk_count=50)
    link.open("live", CONFIG, live_receiver)
    send(link, "file", *[silence(10_000)] * 6, Finish())
    assert file.is_stepping.wait(PATIENCE_S)
    link.feed("live", silence(20))
    file.may_step.set()
    live_receiver.wait()
    file_receiver.wait()
    waits = waits_between(recognizer.steps, live)
    assert len(waits) >= 50
    assert max(waits) <= PIECES_PER_ROUND + 1  # a step that finds no piece precedes each 10 s of audio


def test_a_live_session_is_heard_after_the_piece_that_is_judged_however_many_files_wait(
    recognizer: TapeRecognizer, counting_link: LocalLink
) -> None:
    link = counting_link
    live_tape, *files = (recognizer.record() for _ in range(6))
    files[0].halts_at_step = 100
    live = join(link, "live")
    receivers = [join(link, str(number)) for number in range(5)]
    files[0].may_step.clear()
    for number in range(5):
        send(link, str(number), silence(20_000), Finish())
    files[0].may_step.set()
    assert files[0].is_halted.wait(PATIENCE_S)
    steps_before = len(recognizer.steps)
    send(link, "live", silence(20), Finish())
    files[0].may_step.set()
    live.wait()
    for receiver in receivers:
        receiver.wait()
    assert recognizer.steps.index(live_tape) == steps_before


class LiveReceiver(Receiver):
    """Sends 20 ms of audio each time the last 20 ms have been judged."""

    def __init__(self, link: LocalLink, chunk_count: int) -> None:
        super().__init__()
        self._link = link
        self._left = chunk_count

    def __call__(self, output: ListenerOutput) -> None:
        super().__call__(output)
        if not self.is_over.is_set():
            self._left -= 1
            send(self._link, "live", silence(20) if self._left > 0 else Finish())


def waits_between(steps: list[TapeStream], live: TapeStream) -> list[int]:
    """How many steps of others came before each run of steps of `live`."""
    waits, others = [], 0
    for stream in steps:
        if stream is live:
            waits.append(others)
            others = 0
        else:
            others += 1
    return waits


def test_a_worker_that_never_started_can_be_stopped() -> None:
    worker = Worker("idle")
    worker.stop()
    assert worker.seat_count == 0


def test_what_is_given_to_a_removed_seat_is_ignored() -> None:
    worker = Worker("idle")
    recognizer = TapeRecognizer()
    recognizer.record()
    seat = _seat(recognizer)
    worker.add(seat)
    worker.remove(seat)
    worker.remove(seat)
    worker.give(seat, silence(20))
    assert (worker.seat_count, list(seat.inbox)) == (0, [])


def test_a_round_tells_the_surest_speech_of_all_its_pieces() -> None:
    recognizer = TapeRecognizer()
    recognizer.record(Script((ScriptedWord("hm", 0, 20, shown_after_ms=5000, final_after_ms=5000),)))
    told: list[ListenerOutput] = []
    seat = Seat(Listener(recognizer.open_stream(StreamOptions()), CONFIG), told.append, "tape")
    seat.take([silence(200)])
    while seat.listen(lambda _: False):
        pass
    assert [(heard.judged_until_ms, heard.speech_probability) for heard in told if isinstance(heard, Heard)] == [
        (160, 1.0),
        (200, 0.0),
    ]


def _seat(recognizer: TapeRecognizer) -> Seat:
    return Seat(Listener(recognizer.open_stream(StreamOptions()), CONFIG), Receiver(), "tape")


def test_the_end_of_a_session_ends_its_turn(recognizer: TapeRecognizer, link: LocalLink) -> None:
    recognizer.record(say("good bye"))
    receiver = join(link, "a")
    send(link, "a", silence(400), Finish())
    (ended,) = [event for event in receiver.wait().events if isinstance(event, TurnEnded)]
    assert ended.reason is EndReason.SESSION_ENDED
