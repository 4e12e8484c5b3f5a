"""What was sent and isn't settled comes back in order, whole, and nothing of it is dropped unsaid."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tympan.core.audio import AudioFormat, Encoding
from tympan.core.errors import ProtocolError, ReplayFull
from tympan.core.replay import Position, Replay
from tympan.core.units import StreamMs

TELEPHONE = AudioFormat(Encoding.PCM_MULAW, 8_000)
"""8 bytes a millisecond."""


def replay(max_bytes: int = 100, audio: AudioFormat = TELEPHONE) -> Replay[str]:
    return Replay(audio, max_bytes)


def settle(it: Replay[str], ms: int) -> list[str]:
    return it.forget_until(StreamMs(ms))


def test_at_first_nothing_is_kept() -> None:
    it = replay()
    assert (it.start, it.end, it.start_ms, it.free_bytes) == (Position(), Position(), 0, 100)
    assert it.since(Position()) == []


def test_audio_and_messages_come_back_in_the_order_in_which_they_were_sent() -> None:
    it = replay()
    it.keep_message("format", 10)
    it.keep_audio(b"one")
    it.keep_audio(b"")
    it.keep_message("force", 10)
    it.keep_message("force again", 10)
    it.keep_audio(b"two")
    assert it.since(Position()) == ["format", b"one", "force", "force again", b"two"]
    assert (it.end, it.free_bytes) == (Position(6, 3), 64)


def test_what_has_come_is_forgotten_in_whole_chunks_and_messages() -> None:
    it = replay()
    it.keep_audio(b"one")
    it.keep_message("force", 10)
    it.keep_audio(b"two")
    it.keep_message("force again", 10)
    it.forget_before(Position(5, 2))
    assert (it.start, it.free_bytes) == (Position(3, 1), 87)
    assert it.since(it.start) == [b"two", "force again"]
    it.forget_before(Position(6, 2))
    assert (it.start, it.free_bytes) == (Position(6, 2), 100)


def test_a_receiver_gets_what_it_lacks_and_no_more() -> None:
    it = replay()
    it.keep_audio(b"one")
    it.keep_message("force", 10)
    it.keep_audio(b"two")
    assert it.since(Position(2, 0)) == [b"e", "force", b"two"]
    assert it.since(Position(3, 0)) == ["force", b"two"]
    assert it.since(Position(3, 1)) == [b"two"]
    assert it.since(Position(5, 1)) == [b"o"]
    assert it.since(Position(6, 1)) == []


def test_settled_audio_is_forgotten_to_the_sample_and_messages_before_it_are_handed_back() -> None:
    it = replay()
    it.keep_message("format", 10)
    it.keep_audio(b"0123456789abcdef")
    it.keep_message("force", 10)
    it.keep_audio(b"ghij")
    assert settle(it, 1) == ["format"]
    assert (it.start, it.start_ms, it.free_bytes) == (Position(8, 1), 1, 78)
    assert it.since(it.start) == [b"89abcdef", "force", b"ghij"]


def test_a_message_at_the_settled_point_itself_is_kept() -> None:
    it = replay()
    it.keep_audio(b"01234567")
    it.keep_message("force", 10)
    assert settle(it, 1) == []
    assert it.since(it.start) == ["force"]


def test_a_settled_time_before_the_last_one_changes_nothing() -> None:
    it = replay()
    it.keep_audio(b"0123456789abcdef")
    settle(it, 1)
    assert settle(it, 0) == []
    assert it.start == Position(8, 0)


def test_a_settled_time_after_the_end_forgets_whole_samples_only() -> None:
    it = replay(audio=AudioFormat(Encoding.PCM_S16LE, 8_000))
    it.keep_audio(b"012345678")
    settle(it, 5)
    assert it.start == Position(8, 0)
    assert it.since(it.start) == [b"8"]


def test_what_does_not_fit_is_refused_and_what_was_kept_stays() -> None:
    it = replay(max_bytes=10)
    it.keep_audio(b"01234567")
    with pytest.raises(ReplayFull, match=r"3 bytes don't fit: 8 of 10 bytes are kept already"):
        it.keep_audio(b"abc")
    with pytest.raises(ReplayFull):
        it.keep_message("force", 3)
    assert it.since(Position()) == [b"01234567"]
    assert it.end == Position(8, 0)
    settle(it, 1)
    it.keep_audio(b"abc")
    assert it.since(it.start) == [b"abc"]


@pytest.mark.parametrize("position", [Position(7, 1), Position(8, 0), Position(20, 1), Position(12, 3)])
def test_a_position_that_is_not_kept_or_was_never_sent_is_refused(position: Position) -> None:
    it = replay()
    it.keep_message("format", 1)
    it.keep_audio(b"0123456789ab")
    it.keep_message("force", 1)
    settle(it, 1)
    with pytest.raises(ProtocolError, match="expected a position from"):
        it.since(position)


class ReplayMachine(RuleBasedStateMachine):
    """Beside the replay, everything that was ever sent."""

    ROOM = 4_000

    def __init__(self) -> None:
        super().__init__()
        self.audio = AudioFormat(Encoding.PCM_S16LE, 11_025)
        self.it: Replay[int] = Replay(self.audio, self.ROOM)
        self.sent: list[int | str] = []  # a byte as its value, a message as its number in words
        self.settled_bytes = 0

    def sent_audio(self) -> list[int]:
        return [item for item in self.sent if isinstance(item, int)]

    def beginning(self, length: int) -> Position:
        """How far a receiver of that many bytes and messages got."""
        begun = self.sent[:length]
        messages = sum(isinstance(item, str) for item in begun)
        return Position(len(begun) - messages, messages)

    @rule(payload=st.binary(max_size=1_200))
    def sends_audio(self, payload: bytes) -> None:
        free = self.it.free_bytes
        try:
            self.it.keep_audio(payload)
        except ReplayFull:
            assert len(payload) > free
        else:
            assert len(payload) <= free
            self.sent += payload

    @rule(byte_count=st.integers(1, 300))
    def sends_a_message(self, byte_count: int) -> None:
        number = self.it.end.messages
        try:
            self.it.keep_message(number, byte_count)
        except ReplayFull:
            assert byte_count > self.it.free_bytes
        else:
            self.sent.append(str(number))

    @rule(ms=st.integers(0, 400))
    def settles(self, ms: int) -> None:
        before = self.it.start.messages
        forgotten = self.it.forget_until(StreamMs(ms))
        assert forgotten == list(range(before, self.it.start.messages))
        position = min(self.audio.byte_position(StreamMs(ms)), len(self.sent_audio()) // 2 * 2)
        self.settled_bytes = max(self.settled_bytes, position)
        assert self.it.start.audio_bytes == self.settled_bytes

    @precondition(lambda self: self.sent)
    @rule(share=st.floats(0, 1))
    def resumes(self, share: float) -> None:
        """Any beginning of what was sent may have come, unless it is too old."""
        length = round(share * len(self.sent))
        position = self.beginning(length)
        start = self.it.start
        if position.audio_bytes < start.audio_bytes or position.messages < start.messages:
            with pytest.raises(ProtocolError):
                self.it.since(position)
            return
        replayed: list[int | str] = []
        for item in self.it.since(position):
            replayed += item if isinstance(item, bytes) else [str(item)]
        assert self.sent[:length] + replayed == self.sent

    @invariant()
    def what_is_not_settled_is_kept(self) -> None:
        kept: list[int | str] = []
        for item in self.it.since(self.it.start):
            kept += item if isinstance(item, bytes) else [str(item)]
        assert kept == self.sent[len(self.sent) - len(kept) :]
        assert len([item for item in kept if isinstance(item, int)]) == len(self.sent_audio()) - self.settled_bytes
        assert self.it.end == self.beginning(len(self.sent))

    @invariant()
    def the_bound_holds(self) -> None:
        assert 0 <= self.it.free_bytes <= self.ROOM
        if self.it.start == self.it.end:
            assert self.it.free_bytes == self.ROOM


TestAnyUse = ReplayMachine.TestCase
TestAnyUse.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
