"""What a user is told beside the words."""

from __future__ import annotations

import pytest
from said import raw

from tympan.cli.notes import LossNotes, note_of
from tympan.client.errors import NetworkError
from tympan.client.events import Continuation, Event, Reconnected, Reconnecting
from tympan.client.microphone import AudioLoss
from tympan.wire.v3.messages import ServerWarning


@pytest.mark.parametrize(
    ("event", "note"),
    [
        (Reconnecting(2, 0.54, NetworkError("the line is dead")), "the line is dead; trying again in 0.5 s"),
        (Reconnected(Continuation.RESUMED, "x", 200), "the connection is back; nothing was lost"),
        (Reconnected(Continuation.REPLAYED, "x", 0, 1_500), "the connection is back; 1.5 s of audio were lost"),
        (ServerWarning(1, "ending soon"), "the server warns: ending soon"),
        (raw(0, "hello"), None),
    ],
)
def test_what_is_out_of_the_ordinary_is_a_line(event: Event, note: str | None) -> None:
    assert note_of(event) == note


def test_lost_audio_is_told_at_once_and_then_when_it_has_doubled() -> None:
    notes = LossNotes()
    told = [notes.receive_loss(AudioLoss(dropped_ms=100 * count)) for count in range(1, 100)]
    assert [index + 1 for index, note in enumerate(told) if note is not None] == [1, 3, 7, 15, 31, 63]
    assert told[0] == "this machine is too slow: 0.1 s of audio were dropped"
    assert notes.close() == "this machine is too slow: 9.9 s of audio were dropped"
    assert notes.close() is None


def test_what_a_microphone_lost_itself_is_told_as_far_as_it_is_known() -> None:
    note = LossNotes().receive_loss(AudioLoss(device_overflows=3))
    assert note == "this machine is too slow: the microphone lost some audio (so far 3 times)"


def test_without_a_loss_there_is_nothing_to_tell() -> None:
    assert LossNotes().close() is None
