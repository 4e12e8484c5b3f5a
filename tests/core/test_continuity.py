"""Who is waited for, how long, and what a client is told to go on."""

from __future__ import annotations

from tympan.core.continuity import Continuity
from tympan.core.events import CheckpointReached, EndReason, TurnEnded
from tympan.core.listening import Heard
from tympan.core.units import Monotonic, StreamMs


def at(seconds: float) -> Monotonic:
    return Monotonic(seconds)


def heard(judged_ms: int, *, settled_ms: int = 0, ends_turn: bool = False) -> Heard:
    ended = TurnEnded(0, (), (), 0.5, EndReason.SILENT)
    return Heard(StreamMs(judged_ms), (ended,) if ends_turn else (), settled_ms=StreamMs(settled_ms))


def test_a_client_that_is_there_is_not_waited_for() -> None:
    it = Continuity(30)
    assert (it.is_waiting, it.is_over, it.deadline()) == (False, False, None)
    it.advance(at(1000))
    assert not it.is_over


def test_a_lost_client_is_waited_for_until_the_window_closes() -> None:
    it = Continuity(30)
    it.receive_lost(at(10))
    assert (it.is_waiting, it.deadline()) == (True, at(40))
    it.advance(at(39.9))
    assert it.is_waiting
    it.advance(at(40))
    assert (it.is_waiting, it.is_over, it.deadline()) == (False, True, None)


def test_a_client_that_is_back_has_a_whole_window_at_its_next_loss() -> None:
    it = Continuity(30)
    it.receive_lost(at(10))
    it.receive_resumed()
    assert (it.is_waiting, it.deadline()) == (False, None)
    it.receive_lost(at(50))
    assert it.deadline() == at(80)


def test_after_the_close_nobody_is_waited_for() -> None:
    it = Continuity(30)
    it.receive_lost(at(10))
    it.close()
    it.close()
    assert (it.is_waiting, it.is_over, it.deadline()) == (False, True, None)


def test_a_checkpoint_is_due_once_a_second_of_audio() -> None:
    it = Continuity(30)
    assert it.receive_heard(heard(999), 0) == []
    assert it.receive_heard(heard(1000, settled_ms=500), 40_000) == [CheckpointReached(40_000, StreamMs(500), 0)]
    assert it.receive_heard(heard(1999), 0) == []
    assert it.receive_heard(heard(2300), 0) != []
    assert it.receive_heard(heard(3200), 0) == []


def test_a_checkpoint_follows_the_end_of_a_turn_at_once() -> None:
    it = Continuity(30)
    it.receive_text()
    it.receive_text()
    assert it.texts_received == 2
    due = it.receive_heard(heard(300, settled_ms=200, ends_turn=True), 9_600)
    assert due == [CheckpointReached(9_600, StreamMs(200), 2)]
    assert it.receive_heard(heard(1299), 0) == []
