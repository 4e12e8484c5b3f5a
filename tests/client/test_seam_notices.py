"""Messages beside turns over a seam: they go on with the conversation's clocks."""

from __future__ import annotations

from tympan.client.seam import Seam
from tympan.wire.v3.messages import Heartbeat, Silence


def test_silences_are_told_on_the_conversations_clock() -> None:
    seam = Seam()
    assert seam.receive(Silence(0, 1000)) == [Silence(0, 1000)]
    seam.cut(4000, session_s=5)
    assert seam.receive(Silence(500, 1500)) == [Silence(4500, 5500)]


def test_heartbeats_count_the_audio_and_the_time_of_the_sessions_before() -> None:
    seam = Seam()
    seam.cut(4000, session_s=5)
    assert seam.receive(Heartbeat(4900, 5000, 0.98)) == [Heartbeat(8900, 10_000, 0.98)]
