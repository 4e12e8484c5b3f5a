"""What an answer means, and when to try again."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.server.outbound.attempts import RetryPolicy, Verdict, retry_after_s, verdict_of

chances = st.floats(0, 1)


@pytest.mark.parametrize(
    ("verdict", "statuses"),
    [
        (Verdict.DELIVERED, [200, 201, 202, 204, 299]),
        (Verdict.FAILED, [408, 425, 429, 500, 502, 503, 504, 599]),
        (Verdict.REFUSED, [100, 101, 301, 302, 307, 308, 400, 401, 403, 404, 410, 413, 422]),
    ],
)
def test_a_status_says_what_became_of_an_attempt(verdict: Verdict, statuses: list[int]) -> None:
    assert {verdict_of(status) for status in statuses} == {verdict}


def test_delays_double_up_to_a_limit() -> None:
    policy = RetryPolicy(first_delay_s=1, longest_delay_s=300)
    assert [policy.delay_s(attempts, 1) for attempts in range(1, 12)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert policy.delay_s(3, 0) == 2
    assert policy.delay_s(10**9, 1) == 300


@given(st.integers(1, 10_000), chances, st.none() | st.floats(0, 1e12))
def test_a_delay_is_within_its_limits(attempts: int, chance: float, asked_s: float | None) -> None:
    policy = RetryPolicy()
    delay_s = policy.delay_s(attempts, chance, asked_s)
    assert policy.first_delay_s / 2 <= delay_s <= policy.longest_retry_after_s
    assert delay_s >= min(asked_s or 0, policy.longest_retry_after_s)


def test_attempts_end_after_a_number_or_a_time() -> None:
    policy = RetryPolicy(max_attempts=3, give_up_after_s=60)
    assert policy.has_next(2, 60)
    assert not policy.has_next(3, 1)
    assert not policy.has_next(1, 60.1)


NOW = 1_795_000_000.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        (formatdate(NOW + 90, usegmt=True), 90.0),
        (formatdate(NOW - 90, usegmt=True), 0.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("9" * 41, None),
        ("Fri, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_a_receiver_may_say_when_to_come_back(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, NOW) == seconds


@given(st.text(), st.floats(0, 1e10))
def test_whatever_a_receiver_says_is_a_time_or_nothing(value: str, unix_s: float) -> None:
    seconds = retry_after_s(value, unix_s)
    assert seconds is None or seconds >= 0
