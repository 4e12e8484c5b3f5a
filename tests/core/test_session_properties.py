"""Session under any order of inputs."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tympan.core.config import ConfigUpdate, OutputConfig, SessionConfig, SessionLimits
from tympan.core.effects import Close, Effect, Emit, Feed, Finish, ForceEndpoint, Mark
from tympan.core.errors import BadParameter, EngineError, MaxDurationExceeded
from tympan.core.events import Heartbeat, SessionEnded, SpeechStarted
from tympan.core.heartbeat import PERIOD_S
from tympan.core.listening import Heard, ListeningFailed
from tympan.core.session import Session
from tympan.core.units import Monotonic, StreamMs

BYTES_PER_MS = 32


def is_heartbeat(effect: Effect) -> bool:
    return isinstance(effect, Emit) and isinstance(effect.event, Heartbeat)


class AnySession(RuleBasedStateMachine):
    """A shell that does whatever a client, an engine and a clock can do, and keeps account."""

    @initialize(
        timeout_s=st.none() | st.integers(5, 60),
        max_duration_s=st.integers(1, 300),
        max_backlog_ms=st.integers(100, 5000),
        min_chunk_ms=st.sampled_from([0, 50]),
        is_strict=st.booleans(),
        beats=st.booleans(),
    )
    def begin(
        self,
        timeout_s: int | None,
        max_duration_s: int,
        max_backlog_ms: int,
        min_chunk_ms: int,
        is_strict: bool,
        beats: bool,
    ) -> None:
        self.limits = SessionLimits(timeout_s, max_duration_s, max_backlog_ms, 1000, min_chunk_ms, is_strict)
        self.beats = beats
        self.now = 0.0
        config = SessionConfig(limits=self.limits, output=OutputConfig(has_heartbeat=beats))
        self.session = Session("s", config, Monotonic(0.0))
        self.effects: list[Effect] = []
        self.controls: list[object] = []  # what must come out as marks
        self.events = 0  # told by the listener
        self.fed_bytes = 0
        self.judged_ms = 0
        self.perform(self.session.begin(0))

    def perform(self, effects: list[Effect]) -> None:
        if self.is_closed_by_effects():
            assert effects == [], "nothing follows the close"
        self.effects += effects
        self.fed_bytes += sum(len(effect.payload) for effect in effects if isinstance(effect, Feed))

    def is_closed_by_effects(self) -> bool:
        return any(isinstance(effect, Close) for effect in self.effects)

    def is_finishing(self) -> bool:
        return Mark(Finish()) in self.effects

    @rule(byte_count=st.integers(0, 1100 * BYTES_PER_MS))
    def sends_audio(self, byte_count: int) -> None:
        before = self.effects.copy()
        self.perform(self.session.receive_audio(bytes(byte_count), Monotonic(self.now)))
        new = self.effects[len(before) :]
        assert not [effect for effect in new if isinstance(effect, Feed)] or new[-1] == Feed(bytes(byte_count))
        assert all(is_heartbeat(effect) for effect in new[:-1]), "only what was due comes before it"

    @rule()
    def keeps_alive(self) -> None:
        self.perform(self.session.receive_keep_alive(Monotonic(self.now)))

    @rule(update=st.builds(ConfigUpdate, min_silence_ms=st.integers(0, 1000)) | st.none())
    def sends_a_control(self, update: ConfigUpdate | None) -> None:
        now = Monotonic(self.now)
        if self.beats:
            self.the_shell_wakes()  # so that a deadline that is overdue is one that ends the session
        was_open = self.session.deadline() is not None and not self.is_overdue()
        if update is None:
            self.perform(self.session.receive_force_endpoint(now))
        else:
            self.perform(self.session.receive_update(update, now))
        if was_open:
            self.controls.append(ForceEndpoint() if update is None else update)

    @rule()
    def terminates(self) -> None:
        self.perform(self.session.receive_terminate(Monotonic(self.now)))
        assert self.session.is_closed or self.is_finishing()
        assert self.session.deadline() is None

    @rule(seconds=st.floats(0, 40))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def the_shell_wakes(self) -> None:
        overdue = self.is_overdue()
        before = len(self.effects)
        self.perform(self.session.advance(Monotonic(self.now)))
        assert (len(self.effects) > before) == overdue

    @rule(share=st.floats(0, 1), speaks=st.booleans())
    def the_listener_hears(self, share: float, speaks: bool) -> None:
        waiting_ms = self.fed_bytes // BYTES_PER_MS - self.judged_ms
        self.judged_ms += int(waiting_ms * share)
        started = SpeechStarted(self.events, StreamMs(self.judged_ms))
        events = (started,) if speaks else ()
        was_closed = self.session.is_closed
        self.perform(self.session.receive_heard(Heard(StreamMs(self.judged_ms), events), Monotonic(self.now)))
        if speaks and not was_closed:
            assert self.effects[-1] == Emit(started)
            self.events += 1

    @precondition(lambda self: self.is_finishing())
    @rule()
    def the_listener_finishes(self) -> None:
        self.judged_ms = self.fed_bytes // BYTES_PER_MS
        heard = Heard(StreamMs(self.judged_ms), is_finished=True)
        self.perform(self.session.receive_heard(heard, Monotonic(self.now)))
        assert self.session.is_closed

    @rule()
    def the_engine_fails(self) -> None:
        failure = ListeningFailed(EngineError("scripted", "out of tape"))
        self.perform(self.session.receive_heard(failure, Monotonic(self.now)))
        assert self.session.is_closed

    @rule()
    def the_wire_refuses(self) -> None:
        self.perform(self.session.refuse(BadParameter("x", "y")))
        assert self.session.is_closed

    @rule()
    def the_client_is_lost(self) -> None:
        self.perform(self.session.receive_lost(Monotonic(self.now)))
        if self.session.is_open:
            deadline = self.session.deadline()
            assert deadline is not None
            assert deadline <= self.limits.max_duration_s if self.beats else deadline == self.limits.max_duration_s

    @rule()
    def the_client_is_back(self) -> None:
        self.perform(self.session.receive_resumed(Monotonic(self.now)))

    @rule()
    def the_peer_is_gone(self) -> None:
        self.perform(self.session.close())
        assert self.session.is_closed

    def is_overdue(self) -> bool:
        deadline = self.session.deadline()
        return deadline is not None and self.now >= deadline

    @invariant()
    def it_closes_once_and_last(self) -> None:
        closes = [effect for effect in self.effects if isinstance(effect, Close)]
        assert len(closes) <= 1
        if closes:
            assert self.effects[-1] is closes[0]
            assert self.session.is_closed

    @invariant()
    def hearts_beat_only_where_asked_for_and_in_time(self) -> None:
        beats = [e.event for e in self.effects if isinstance(e, Emit) and isinstance(e.event, Heartbeat)]
        assert self.beats or not beats
        times_ms = [0, *(beat.session_duration_ms for beat in beats)]
        assert all(after - before >= 1000 * PERIOD_S - 1 for before, after in pairwise(times_ms))

    @invariant()
    def controls_come_out_once_and_in_order(self) -> None:
        marks = [effect.control for effect in self.effects if isinstance(effect, Mark)]
        assert [control for control in marks if control != Finish()] == self.controls
        assert marks.count(Finish()) <= 1
        assert Finish() not in marks[:-1], "nothing is marked after the end"

    @invariant()
    def nothing_is_fed_after_the_end(self) -> None:
        if self.is_finishing():
            rest = self.effects[self.effects.index(Mark(Finish())) :]
            assert not [effect for effect in rest if isinstance(effect, Feed)]

    @invariant()
    def the_account_of_audio_is_exact(self) -> None:
        if not self.session.is_closed:
            assert self.session.received_ms == self.fed_bytes // BYTES_PER_MS
            assert self.session.backlog_ms == self.session.received_ms - self.judged_ms
            assert self.session.backlog_ms <= self.limits.max_backlog_ms

    @invariant()
    def only_a_graceful_end_tells_durations(self) -> None:
        ended = [e for e in self.effects if isinstance(e, Emit) and isinstance(e.event, SessionEnded)]
        assert len(ended) == (Close(None) in self.effects)
        if self.is_closed_by_effects() and not ended:
            close = self.effects[-1]
            assert isinstance(close, Close)
            assert close.error is not None
            assert not isinstance(close.error, MaxDurationExceeded) or self.is_finishing()


TestAnySession = AnySession.TestCase
TestAnySession.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
