"""Whatever a service's way of ending turns, each turn is told once, with the best words that came."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from said import formatted, raw, turn

from tympan.cli.turns import TurnLedger
from tympan.wire.v3.messages import Turn


def told(*messages: Turn) -> list[str]:
    """What was told at once, then "|", then what closing told."""
    ledger = TurnLedger()
    at_once = [settled.text for message in messages for settled in ledger.receive_turn(message)]
    return [*at_once, "|", *(settled.text for settled in ledger.close())]


def test_a_raw_final_waits_for_its_formatted_one() -> None:
    assert told(turn(0, "hi"), raw(0, "hi there")) == ["|", "hi there"]
    assert told(turn(0, "hi"), raw(0, "hi there"), formatted(0, "Hi, there.")) == ["Hi, there.", "|"]


def test_a_single_formatted_final_settles_its_turn() -> None:
    assert told(turn(0, "Hi—", is_formatted=True), formatted(0, "Hi there."), formatted(1, "Bye.")) == [
        "Hi there.",
        "Bye.",
        "|",
    ]


def test_a_service_without_formatted_finals_is_found_out_at_its_second_turn() -> None:
    ledger = TurnLedger()
    assert ledger.receive_turn(raw(0, "one")) == []
    assert [settled.text for settled in ledger.receive_turn(turn(1, "tw"))] == ["one"]
    assert [settled.text for settled in ledger.receive_turn(raw(1, "two"))] == ["two"]


def test_a_service_that_formats_once_is_waited_for_again() -> None:
    assert told(raw(0, "one"), formatted(0, "One."), raw(1, "two"), formatted(1, "Two.")) == ["One.", "Two.", "|"]
    assert told(raw(0, "one"), formatted(0, "One."), raw(1, "two"), raw(2, "three")) == ["One.", "two", "|", "three"]


def test_what_comes_late_for_a_settled_turn_is_not_told_again() -> None:
    assert told(raw(0, "one"), raw(1, "two"), formatted(0, "One."), formatted(1, "Two.")) == ["one", "two", "|"]


def test_a_turn_that_never_ended_is_told_as_it_was_heard() -> None:
    assert told(turn(0, "half a sen"), formatted(1, "Next.")) == ["half a sen", "Next.", "|"]
    assert told(turn(0, "half a sen")) == ["|", "half a sen"]


def test_a_formatted_final_without_words_does_not_take_them_away() -> None:
    assert told(raw(0, "hello"), formatted(0, "")) == ["hello", "|"]


def test_an_empty_final_is_no_turn() -> None:
    assert told(formatted(0, "Hello."), raw(1, "")) == ["Hello.", "|"]


def test_a_text_without_words_is_kept_at_the_time_of_the_last_one() -> None:
    ledger = TurnLedger()
    ledger.receive_turn(formatted(0, "One."))
    (settled,) = ledger.receive_turn(Turn(1, True, True, "No words here.", 1.0, ()))
    assert settled.text == "No words here."
    assert {(word.start_ms, word.end_ms) for word in settled.words} == {(400, 400)}


def test_closing_twice_tells_once() -> None:
    ledger = TurnLedger()
    ledger.receive_turn(turn(0, "hello"))
    assert len(ledger.close()) == 1
    assert ledger.close() == []


@pytest.mark.parametrize("style", ["pair", "single", "raw"])
@given(texts=st.lists(st.sampled_from(["yes", "no thanks", "well then"]), max_size=6))
def test_every_style_of_service_tells_every_turn_once_in_order(style: str, texts: list[str]) -> None:
    messages = []
    for order, text in enumerate(texts):
        messages.append(turn(order, text.split()[0]))
        if style != "single":
            messages.append(raw(order, text))
        if style != "raw":
            messages.append(formatted(order, text))
    assert [text for text in told(*messages) if text != "|"] == texts
