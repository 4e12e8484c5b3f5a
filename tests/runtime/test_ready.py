"""Which seat is next."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from tympan.runtime.ready import CREDIT_S, ReadyQueue


@dataclass(eq=False)
class Sitter:
    """Somebody who is served, for `round_s` at a time."""

    name: str
    served_s: float = 0.0
    round_s: float = 0.01


def serve(queue: ReadyQueue[Sitter], *, again: bool = True) -> str:
    """One round; who had it. `again`: there is more work."""
    sitter = queue.take()
    sitter.served_s += sitter.round_s
    if again:
        queue.put(sitter)
    return sitter.name


def queue_of(*sitters: Sitter) -> ReadyQueue[Sitter]:
    queue: ReadyQueue[Sitter] = ReadyQueue()
    for sitter in sitters:
        queue.put(sitter)
    return queue


def test_equals_are_served_in_order() -> None:
    queue = queue_of(Sitter("a"), Sitter("b"), Sitter("c"))
    assert [serve(queue) for _ in range(6)] == ["a", "b", "c", "a", "b", "c"]


def test_who_had_less_comes_before_those_who_wait_longer() -> None:
    live = Sitter("live")
    queue = queue_of(Sitter("file"), Sitter("another file"))
    for _ in range(10):
        serve(queue)
    queue.put(live)
    assert serve(queue) == "live"


def test_time_counts_and_not_rounds() -> None:
    queue = queue_of(Sitter("dear", round_s=0.03), Sitter("cheap", round_s=0.01))
    served = [serve(queue) for _ in range(8)]
    assert served.count("cheap") == 3 * served.count("dear")


def test_who_comes_with_less_overtakes_the_one_that_is_served() -> None:
    queue = queue_of(Sitter("file", served_s=1.0))
    file = queue.take()
    queue.put(Sitter("another file", served_s=1.0))
    assert not queue.is_overtaken(file)
    queue.put(Sitter("live"))
    assert queue.is_overtaken(file)


def test_who_is_new_has_saved_up_nothing() -> None:
    queue = queue_of(Sitter("file", served_s=5.0))
    serve(queue)
    new = Sitter("new")
    queue.welcome(new)
    assert new.served_s == 5.0


def test_who_was_idle_for_long_has_saved_up_a_credit_and_no_more() -> None:
    queue = queue_of(Sitter("file", served_s=5.0))
    serve(queue)
    idle = Sitter("idle")
    queue.put(idle)
    assert idle.served_s == 5.0 - CREDIT_S


def test_an_empty_queue_is_false() -> None:
    queue = queue_of(Sitter("a"))
    assert queue
    serve(queue, again=False)
    assert not queue


@given(st.lists(st.integers(1, 20), min_size=2, max_size=6), st.data())
def test_nobody_waits_longer_than_the_others_take_for_their_credit_and_a_round(
    rounds_ms: list[int], data: st.DataObject
) -> None:
    sitters = [Sitter(str(index), round_s=ms / 1000) for index, ms in enumerate(rounds_ms)]
    queue = queue_of(*sitters)
    waited_s = dict.fromkeys(range(len(sitters)), 0.0)
    idle: list[Sitter] = []
    for _ in range(100):
        sitter = queue.take()
        sitter.served_s += sitter.round_s
        waited_s[sitters.index(sitter)] = 0.0
        for index, other in enumerate(sitters):
            if other is not sitter and other not in idle:
                waited_s[index] += sitter.round_s
                assert waited_s[index] <= (len(sitters) - 1) * (CREDIT_S + 0.04) + 1e-9
        if not queue or data.draw(st.booleans()):
            queue.put(sitter)
        else:
            idle.append(sitter)
        if idle and data.draw(st.booleans()):
            queue.put(idle.pop())
