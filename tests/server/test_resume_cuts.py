"""Cut anywhere, any number of times: what a client is told is what it would have been told on a sound line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from background import Background, background
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from resuming_client import FORCE, TERMINATE, ResumingClient, story
from running_service import CHUNK, Service, endings, make_service
from tcp_proxy import Direction, Harm, How, Proxy
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tympan.engines.scripted import Script, ScriptedWord

BROKEN = (OSError, EOFError, InvalidHandshake, ConnectionClosed)
"""What a client sees of a line that breaks while it connects."""

TALK = Script(
    tuple(
        ScriptedWord(
            f"Word{number},",
            start_ms=300 + number * 220 + number // 4 * 700,
            end_ms=480 + number * 220 + number // 4 * 700,
            final_after_ms=350,
            end_of_turn_confidence=0.5 * (number % 3),
            formatted=f"Word {number}.",
        )
        for number in range(12)
    )
)
"""Three groups of words with pauses between them, 5 s in all."""

CHUNKS = 110

Item = bytes | dict[str, Any]

CONTROLS: tuple[Item, ...] = (
    FORCE,
    {"type": "KeepAlive"},
    {"type": "UpdateConfiguration", "max_turn_silence": 500},
    {"type": "UpdateConfiguration", "format_turns": False},
)


@pytest.fixture(scope="module")
def talk() -> Iterator[Service]:
    with make_service(TALK, max_sessions=1000) as service:
        yield service


@pytest.fixture(scope="module")
def loop() -> Iterator[Background]:
    with background() as one:
        yield one


@st.composite
def conversations(draw: st.DrawFn) -> list[Item]:
    """Audio with controls between its chunks, and Terminate."""
    items: list[Item] = [CHUNK] * CHUNKS
    for place, control in draw(st.lists(st.tuples(st.integers(0, CHUNKS), st.sampled_from(CONTROLS)), max_size=5)):
        items.insert(place, control)
    return [*items, TERMINATE]


def harms() -> st.SearchStrategy[Harm]:
    """From before the upgrade is answered to after the close is sent."""
    to_server = st.builds(
        Harm, st.sampled_from([How.RESET, How.FIN]), st.integers(0, CHUNKS * 1610), st.just(Direction.TO_SERVER)
    )
    to_client = st.builds(
        Harm, st.sampled_from([How.RESET, How.FIN]), st.integers(0, 16_000), st.just(Direction.TO_CLIENT)
    )
    return to_server | to_client


@contextmanager
def harmed(loop: Background, service: Service, plan: list[Harm]) -> Iterator[Proxy]:
    with loop.entered(Proxy("127.0.0.1", service.port)) as proxy:
        loop.call(proxy.plan, *plan)
        yield proxy


def begin(service: Service, url: str | None) -> ResumingClient:
    """A client that has read Begin, however often it takes: before that nothing can be resumed."""
    while True:
        try:
            client = ResumingClient(service, "format_turns=true", url=url)
            client.begins()
        except BROKEN:
            continue
        return client


def converse(
    service: Service,
    items: list[Item],
    *,
    url: str | None = None,
    is_thrifty: bool = False,
    replaced_at: frozenset[int] = frozenset(),
) -> ResumingClient:
    """The whole conversation; a thrifty client acknowledges what it has whenever it comes back.

    Before the items `replaced_at` it goes on over a new line while the old one still carries both ways.
    """
    client = begin(service, url)
    for number, item in enumerate(items):
        if number in replaced_at:
            client.resumes()
        client.sends(item)
    while client.hears_end()[0] != 1000:
        try:
            client.resumes()
            if is_thrifty:
                client.acknowledges()
        except BROKEN:
            continue
    return client


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(conversations(), st.lists(harms(), min_size=1, max_size=6), st.booleans())
def test_any_cuts_lose_and_double_nothing(
    talk: Service, loop: Background, items: list[Item], plan: list[Harm], is_thrifty: bool
) -> None:
    with harmed(loop, talk, plan) as proxy:
        client = converse(talk, items, url=proxy.url, is_thrifty=is_thrifty)
    event(f"resumed {len(client.resumed)} times")
    whole = converse(talk, items)
    assert client.story() == whole.story()
    assert client.kept.end.audio_bytes == CHUNKS * len(CHUNK)
    assert whole.resumed == []


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(conversations(), st.frozensets(st.integers(0, CHUNKS), min_size=1, max_size=8))
def test_any_takeovers_lose_and_double_nothing(talk: Service, items: list[Item], replaced_at: frozenset[int]) -> None:
    client = converse(talk, items, replaced_at=replaced_at)
    assert len(client.resumed) == len(replaced_at)
    assert client.story() == converse(talk, items).story()


def test_the_truth_of_the_property_holds_words_from_every_group(talk: Service) -> None:
    told = story(converse(talk, [CHUNK] * CHUNKS + [TERMINATE]).told)
    finals = [message["transcript"] for message in told if message.get("turn_is_formatted")]
    assert " ".join(finals) == " ".join(f"Word {number}." for number in range(12))
    assert len(finals) > 1
    assert endings(talk, 1000) > 0
