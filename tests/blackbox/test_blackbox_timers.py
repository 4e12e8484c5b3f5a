"""What happens after a time: inactivity, heartbeats, expiry (protocol reference, sections 2.1, 4.7, 4.12, 6.6, 7.1).

All sessions wait at once, so that the module takes little more than the longest wait. Of a foreign service it is
asked with `--slow` alone. What a service does after a time doesn't depend on how strict it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from call import Call, Message, broken
from endpoint import Endpoint, Strictness
from message_shapes import faults
from own_servers import OwnServer
from played_sessions import MIDDLE_MS
from websockets.exceptions import ConnectionClosed

SHORTEST_INACTIVITY_S = 5
HEARTBEAT_S = 5
WAIT_S = 6.5
"""Longer than either, and by less than both together."""
EARLY_S = 0.2
"""By how much a service may be early. It may be late by as much as it, or the way to it, is slow: by our patience."""
OUR_INACTIVITY_S, OUR_LONGEST_S = 3, 4
"""Of our own servers that have such limits."""

KEEP_ALIVE: Message = {"type": "KeepAlive"}
CHUNK = bytes(50 * 32)
HALF_A_SECOND = CHUNK * 10
ONCE_S = 600.0
"""Between two messages, where one is enough."""


@dataclass
class Life:
    """One session that was waited for. Times are seconds since `Begin`, which the service counts from somewhat sooner:
    `opening_s` at most."""

    call: Call
    opening_s: float
    began_at_unix_s: float
    heard_at_s: list[tuple[float, Message]] = field(default_factory=list)
    closed_after_s: float | None = None
    said_at_s: list[float] = field(default_factory=list)

    def of_type(self, name: str) -> list[tuple[float, Message]]:
        return [(at_s, message) for at_s, message in self.heard_at_s if message["type"] == name]

    @property
    def longest_silence_s(self) -> float:
        """The client's own: it is no more in time than the machine lets it."""
        said_at_s = [-self.opening_s, *self.said_at_s, self.closed_after_s or 0.0]
        return max(later - earlier for earlier, later in pairwise(said_at_s))


def lives(
    connect: Callable[[], Call],
    *,
    says: Message | bytes | None = None,
    every_s: float = 1.0,
    for_s: float = WAIT_S,
    until: str | None = None,
) -> Life:
    """Begin, say something again and again, and listen until the time is over or the service closes. Where such a
    message is due, the time is over once it has come, but not before `WAIT_S`."""
    connects_at = time.monotonic()
    call = connect()
    call.hears_begin()
    heard_begin_at = time.monotonic()
    life = Life(call, heard_begin_at - connects_at, time.time())
    while (now_s := time.monotonic() - heard_begin_at) < (WAIT_S if until and life.of_type(until) else for_s):
        if says is not None:
            call.sends(says)
            life.said_at_s.append(time.monotonic() - heard_begin_at)
        listens_until = min(now_s + every_s, WAIT_S if now_s < WAIT_S else for_s)
        try:
            while True:
                remaining_s = listens_until - (time.monotonic() - heard_begin_at)
                message = call.receive(max(0.001, remaining_s))
                life.heard_at_s.append((time.monotonic() - heard_begin_at, message))
                if message["type"] == until and now_s >= WAIT_S:
                    return life
        except TimeoutError:
            continue
        except ConnectionClosed:
            life.closed_after_s = time.monotonic() - heard_begin_at
            break
    return life


@dataclass
class Waits:
    """All lives by name, a token that was given before them, for one second, and how late the service may be."""

    lives: dict[str, Life]
    token: str
    late_s: float


@pytest.fixture(scope="module")
def waits(request: pytest.FixtureRequest, lenient_service: Endpoint) -> Waits:
    """Everything that has to wait for the service."""
    service = lenient_service
    if not service.is_ours and not request.config.getoption("--slow"):
        pytest.skip(f"waits for {WAIT_S} s; give --slow")
    if service.interval_s:
        pytest.skip("opens eleven sessions at once; leave --sessions-per-minute out")
    token = service.token("expires_in_seconds=1")
    wait_for = f"inactivity_timeout={SHORTEST_INACTIVITY_S}"
    late_s = service.patience_s
    at_most_s = WAIT_S + late_s

    def at(query: str) -> Callable[[], Call]:
        return lambda: service.calls(query)

    sessions: dict[str, Callable[[], Life]] = {
        "says nothing": lambda: lives(at(wait_for), for_s=at_most_s),
        "keeps alive": lambda: lives(at(wait_for), says=KEEP_ALIVE),
        "forces": lambda: lives(at(wait_for), says={"type": "ForceEndpoint"}),
        "updates": lambda: lives(at(wait_for), says={"type": "UpdateConfiguration"}),
        "sends audio": lambda: lives(at(wait_for), says=CHUNK),
        "sends empty audio": lambda: lives(at(wait_for), says=b""),
        "has no timeout": lambda: lives(at("")),
        "has a timeout too short": lambda: lives(at("inactivity_timeout=1"), for_s=at_most_s),
        "has a heartbeat": lambda: lives(
            at("session_heartbeat=true"), says=HALF_A_SECOND, every_s=ONCE_S, for_s=at_most_s, until="Heartbeat"
        ),
        "has none": lambda: lives(at("session_heartbeat=false"), says=CHUNK),
        "asks for a heartbeat later": lambda: lives(
            at(""),
            says={"type": "UpdateConfiguration", "session_heartbeat": True},
            every_s=ONCE_S,
            for_s=at_most_s,
            until="Heartbeat",
        ),
    }
    if service.is_ours:
        impatient: OwnServer = request.getfixturevalue("impatient_server")
        brief: OwnServer = request.getfixturevalue("brief_server")
        words = bytes(MIDDLE_MS * 32)
        sessions |= {
            "impatient and silent": lambda: lives(impatient.endpoint.calls, for_s=at_most_s),
            "brief": lambda: lives(brief.endpoint.calls, says=words, every_s=ONCE_S, for_s=at_most_s),
        }
    with ThreadPoolExecutor(len(sessions)) as pool:
        running = {name: pool.submit(session) for name, session in sessions.items()}
        lived = {name: future.result() for name, future in running.items()}
    return Waits(lived, token, late_s)


def ended_in_time(life: Life, due_s: float, late_s: float, says: str) -> None:
    early_s = EARLY_S + life.opening_s
    if life.closed_after_s is None or not due_s - early_s <= life.closed_after_s <= due_s + late_s:
        came = "still open" if life.closed_after_s is None else f"closed after {life.closed_after_s:.1f} s"
        broken(f"{says}, after {due_s:g} s", came, life.call)


def inactivity(life: Life, timeout_s: float, late_s: float) -> None:
    text = f"Session terminated due to inactivity: No messages received for {timeout_s:g} seconds"
    life.call.hears_end().must_be(3006, text, "4.12: inactivity is 3006")
    ended_in_time(life, timeout_s, late_s, "2.1: a client that says nothing is let go")


def test_a_client_that_says_nothing_is_let_go_with_3006(waits: Waits) -> None:
    inactivity(waits.lives["says nothing"], SHORTEST_INACTIVITY_S, waits.late_s)


@pytest.mark.parametrize("name", ["keeps alive", "forces", "updates", "sends audio", "sends empty audio"])
def test_any_message_is_activity(waits: Waits, name: str) -> None:
    life = waits.lives[name]
    if life.closed_after_s is not None and life.longest_silence_s < SHORTEST_INACTIVITY_S - EARLY_S:
        broken("3: any message resets the inactivity timer", f"closed after {life.closed_after_s:.1f} s", life.call)


def test_without_a_timeout_a_silent_client_is_waited_for(waits: Waits) -> None:
    life = waits.lives["has no timeout"]
    if life.closed_after_s is not None:
        broken("2.1: inactivity_timeout has no default", f"closed after {life.closed_after_s:.1f} s", life.call)


def test_a_timeout_too_short_counts_as_the_shortest(waits: Waits, lenient_service: Endpoint) -> None:
    if lenient_service.strictness is not Strictness.LENIENT:
        pytest.skip("2.2: of lenient services")
    inactivity(waits.lives["has a timeout too short"], SHORTEST_INACTIVITY_S, waits.late_s)


@pytest.mark.parametrize("name", ["has a heartbeat", "asks for a heartbeat later"])
def test_a_heartbeat_comes_every_5_s_when_asked_for(waits: Waits, name: str) -> None:
    life = waits.lives[name]
    early_s = EARLY_S + life.opening_s
    times_s = [at_s for at_s, _ in life.of_type("Heartbeat")]
    due_s = [HEARTBEAT_S * count for count in range(1, len(times_s) + 1)]
    is_right = all(due - early_s <= at <= due + waits.late_s for due, at in zip(due_s, times_s, strict=True))
    if not times_s or not is_right:
        broken("4.7: a Heartbeat about every 5 s", f"{[f'{at_s:.1f} s' for at_s in times_s]}", life.call)


def test_a_heartbeat_counts_audio_and_time(waits: Waits, lenient_service: Endpoint) -> None:
    life = waits.lives["has a heartbeat"]
    for count, (_, beat) in enumerate(life.of_type("Heartbeat"), start=1):
        wrong = list(faults(beat, is_ours=lenient_service.is_ours))
        audio_ms, duration_ms = beat["total_audio_received_ms"], beat["total_duration_ms"]
        if audio_ms != 500:
            wrong.append(f"{audio_ms} ms of audio counted, 500 ms were sent at the beginning")
        if not -1000 * EARLY_S <= duration_ms - 1000 * HEARTBEAT_S * count <= 1000 * waits.late_s:
            wrong.append(f"{duration_ms} ms since Begin")
        if abs(beat["realtime_factor"] - audio_ms / duration_ms) > 0.02:
            wrong.append(f"realtime_factor {beat['realtime_factor']}, {audio_ms} ms in {duration_ms} ms")
        if wrong:
            broken("4.7: audio received, time since Begin, and their ratio", "; ".join(wrong), life.call)


def test_no_heartbeat_comes_unasked(waits: Waits) -> None:
    for name in ("has none", "has no timeout"):
        if waits.lives[name].of_type("Heartbeat"):
            broken("4.7: Heartbeat is opt-in", "one came", waits.lives[name].call)


def test_an_expired_token_is_told_so(waits: Waits, lenient_service: Endpoint) -> None:
    says, text = "1.1: an expired token is 1008", "Unauthorized Connection: Signature has expired"
    ended = lenient_service.calls(f"token={waits.token}", key=None).hears_refusal(says)
    lenient_service.hang_up()
    ended.must_be(1008, text, says, is_before_begin=True)


def test_the_longest_session_ends_with_its_last_words_and_3008(waits: Waits, ours: None) -> None:
    life = waits.lives["brief"]
    text = "Session Expired: Maximum session duration exceeded"
    life.call.hears_end().must_be(3008, text, "4.12, 6.6: expiry is 3008")
    ended_in_time(life, OUR_LONGEST_S, waits.late_s, "6.6: a session ends at its expiry")
    finals = [turn["transcript"] for turn in life.call.messages if turn.get("end_of_turn")]
    if len(finals) != 1 or not finals[0].startswith("hi my name is"):
        broken("6.6: at expiry the open turn is told first", f"finals {finals}", life.call)


def test_begin_tells_when_a_session_expires(waits: Waits, ours: None) -> None:
    life = waits.lives["brief"]
    lasts_s = life.call.messages[0]["expires_at"] - life.began_at_unix_s
    if not OUR_LONGEST_S - life.opening_s - 1 <= lasts_s <= OUR_LONGEST_S:  # it tells whole seconds
        broken("4.1: expires_at is when the session ends by itself", f"{lasts_s:.1f} s after Begin came", life.call)


def test_the_timeout_of_the_server_holds_for_who_asks_for_none(waits: Waits, ours: None) -> None:
    inactivity(waits.lives["impatient and silent"], OUR_INACTIVITY_S, waits.late_s)
