"""What a user is told beside the words."""

from __future__ import annotations

import pytest
from said import raw

from tympan.cli.notes import note_of, note_of_loss
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


@pytest.mark.parametrize(
    ("loss", "note"),
    [
        (AudioLoss(1_250, 0), "this machine is too slow: 1.2 s of audio were dropped"),
        (AudioLoss(0, 3), "this machine is too slow: the microphone lost some audio (3 times so far)"),
    ],
)
def test_lost_audio_is_told_as_far_as_it_is_known(loss: AudioLoss, note: str) -> None:
    assert note_of_loss(loss) == note
