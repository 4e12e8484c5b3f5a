"""Which errors are worth a new attempt, how long to wait for it, and when to stop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.client.errors import (
    AuthError,
    BufferFull,
    ClientError,
    ErrorContext,
    NetworkError,
    Phase,
    ProtocolViolation,
    RequestError,
    ServerError,
    SessionLost,
    SilentServer,
    TlsError,
    error_of_code,
)
from tympan.client.retry import RETRY_RULES, Attempts, ReconnectPolicy, is_worth_retrying
from tympan.core.units import Monotonic


@pytest.mark.parametrize("code", [1001, 1002, 1006, 1011, 1012, 1013, 1014, 3005, 3008, 3009, 4004])
def test_a_close_that_may_be_mended_is_worth_an_attempt(code: int) -> None:
    assert is_worth_retrying(error_of_code(code, "", ErrorContext(close_code=code)))


@pytest.mark.parametrize("code", [1000, 1007, 1008, 1009, 3006, 3007, 4103, 4321])
def test_a_close_that_was_meant_is_not(code: int) -> None:
    assert not is_worth_retrying(error_of_code(code, "", ErrorContext(close_code=code)))


@pytest.mark.parametrize("what", ["Too many new sessions: at most 5 a minute", "Too many concurrent sessions"])
def test_too_many_sessions_are_no_wrong_credential_whatever_the_code(what: str) -> None:
    error = error_of_code(1008, f"Unauthorized Connection: {what}", ErrorContext(close_code=1008))
    assert type(error) is ServerError
    assert is_worth_retrying(error)


@pytest.mark.parametrize(
    ("status", "is_worth_it"), [(404, False), (410, False), (400, False), (408, True), (429, True)]
)
def test_a_refused_handshake(status: int, is_worth_it: bool) -> None:
    assert is_worth_retrying(NetworkError("", ErrorContext(http_status=status))) is is_worth_it


@pytest.mark.parametrize(
    ("error", "is_worth_it"),
    [
        (NetworkError("refused"), True),
        (SilentServer("no answer", ErrorContext(phase=Phase.OPENING)), True),
        (SilentServer("no Termination", ErrorContext(phase=Phase.ENDING)), False),
        (ServerError("not ready", ErrorContext(http_status=503)), True),
        (ServerError("an error without a code"), False),
        (SessionLost("not kept"), True),
        (TlsError("not trusted"), False),
        (AuthError("wrong"), False),
        (RequestError("wrong"), False),
        (ProtocolViolation("nonsense"), False),
        (BufferFull("full"), False),
        (ClientError("anything"), False),
    ],
)
def test_each_type_has_its_rule(error: ClientError, is_worth_it: bool) -> None:
    assert is_worth_retrying(error) is is_worth_it


def test_every_rule_says_why() -> None:
    assert all(rule.why for rule in RETRY_RULES)


def test_delays_double_up_to_the_longest() -> None:
    policy = ReconnectPolicy(first_delay_s=0.5, longest_delay_s=3)
    assert [policy.delay_s(attempt, 1.0) for attempt in (1, 2, 3, 4, 5, 5000)] == [0.5, 1, 2, 3, 3, 3]


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_chance_alone_shortens_a_delay(attempt: int, chance: float) -> None:
    policy = ReconnectPolicy()
    assert 0 <= policy.delay_s(attempt, chance) <= policy.delay_s(attempt, 1.0) <= policy.longest_delay_s


def test_attempts_end_after_their_number() -> None:
    attempts = Attempts(ReconnectPolicy(max_attempts=2), Monotonic(0))
    assert [attempts.next_delay_s(Monotonic(0), 0.0) for _ in range(3)] == [0.0, 0.0, None]
    assert attempts.count == 2


def test_attempts_end_after_their_time() -> None:
    attempts = Attempts(ReconnectPolicy(max_total_s=10, first_delay_s=4, longest_delay_s=4), Monotonic(100))
    assert attempts.next_delay_s(Monotonic(106), 1.0) == 4
    assert attempts.next_delay_s(Monotonic(106.1), 1.0) is None
