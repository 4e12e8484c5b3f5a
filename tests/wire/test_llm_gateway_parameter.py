"""What may be asked about a turn, and how the answer is told."""

from __future__ import annotations

import json
import math
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core.config import SessionConfig
from tympan.core.errors import BadParameter, MalformedMessage, ProtocolError
from tympan.wire.v3.llm_gateway import (
    MAX_LEVELS,
    MAX_MESSAGES,
    MAX_PLACES,
    MAX_REQUEST_BYTES,
    PLACE,
    Prompt,
    Question,
    prompt_objection,
)
from tympan.wire.v3.messages import SERVER_CODEC, LLMGatewayResponse, ServerWarning, Turn
from tympan.wire.v3.params import parse_query


def request(*contents: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": content} for content in contents], **more}


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def final(transcript: str, order: int = 3) -> str:
    return SERVER_CODEC.encode(Turn(order, True, True, transcript, 1.0, ()))


def asked(document: dict[str, Any], transcript: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(Prompt(document).question(final(transcript)).request)
    return loaded


def test_a_client_asks_with_one_parameter() -> None:
    document = request("Sum up: {{turn}}", max_tokens=4000)
    query = urlencode({"llm_gateway": json.dumps(document)})
    _, options = parse_query(query, defaults=SessionConfig(), strict=True)
    assert options.prompt == Prompt(document)
    assert options.without_effect == ()


def test_the_transcript_stands_wherever_its_place_is_and_all_else_is_passed_on() -> None:
    document = request("{{turn}} and {{turn}}", "{{ turn }}", temperature=0.5, tools=[{"{{turn}}": "{{turn}}"}])
    assert asked(document, 'say "{{turn}}"') == {
        **document,
        "messages": [
            {"role": "user", "content": 'say "{{turn}}" and say "{{turn}}"'},
            {"role": "user", "content": "{{ turn }}"},
        ],
    }


@given(st.text(), st.lists(st.text(), min_size=1, max_size=4))
def test_no_transcript_breaks_out_of_its_message(transcript: str, around: list[str]) -> None:
    document = request(*(f"{text.replace(PLACE, '')}{PLACE}" for text in around))
    filled = asked(document, transcript)
    assert [message["role"] for message in filled["messages"]] == ["user"] * len(around)
    assert all(message["content"].endswith(transcript) for message in filled["messages"])


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"messages": []}, "model: is missing"),
        (request("a", model=""), "model: expected a name"),
        (request("a", model="m" * 201), "model: expected a name"),
        (request("a", model=1), "model: expected a string, got 1"),
        ({"model": "m"}, "messages: is missing"),
        (request(), f"messages: expected 1 to {MAX_MESSAGES}"),
        (request(*"a" * (MAX_MESSAGES + 1)), f"messages: expected 1 to {MAX_MESSAGES}"),
        ({"model": "m", "messages": "a"}, "messages: expected a list, got a string"),
        ({"model": "m", "messages": [{"role": "user"}]}, "messages.0.content: is missing"),
        ({"model": "m", "messages": [{"role": 1, "content": ""}]}, "messages.0.role: expected a string, got 1"),
        (request(PLACE * (MAX_PLACES + 1)), f"may stand in {MAX_PLACES} places at most"),
        (request("a", max_tokens=0), "max_tokens: expected 1 to"),
        (request("a", max_tokens="many"), "max_tokens: expected an integer, got a string"),
        (request("a", stream=True), "stream: an answer comes whole"),
        (request("a", top_p=math.inf), "holds a number that JSON doesn't have"),
        (request("a", tools=nested(MAX_LEVELS)), "nested deeper than 32 levels"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_the_session_begins(document: dict[str, Any], reason: str) -> None:
    assert reason in (prompt_objection(document) or "")
    text = json.dumps(document).replace("Infinity", "1e999")
    with pytest.raises(BadParameter, match="Invalid 'llm_gateway': "):
        parse_query(urlencode({"llm_gateway": text}), defaults=SessionConfig(), strict=False)


def test_what_may_be_asked_is_not_refused() -> None:
    assert prompt_objection({}) is None
    assert prompt_objection(request(PLACE * MAX_PLACES, stream=False, max_tokens=1)) is None
    assert prompt_objection(request("a", tools=nested(MAX_LEVELS - 1))) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.dictionaries(st.text(), json_values, max_size=3),
    st.lists(st.fixed_dictionaries({"role": json_values, "content": json_values}) | json_values, max_size=2),
    st.booleans(),
)
def test_whatever_a_client_asks_is_refused_or_can_be_asked(
    more: dict[str, Any], messages: list[Any], is_sound: bool
) -> None:
    document = {**more, **request(PLACE)} if is_sound else {**request(PLACE), "messages": messages, **more}
    if prompt_objection(document) is None:
        asked(document, "Hello.")


def test_a_request_that_grew_too_long_says_so() -> None:
    question = Prompt(request(PLACE * MAX_PLACES)).question(final("x" * (MAX_REQUEST_BYTES // MAX_PLACES)))
    assert question.is_too_long
    assert not Prompt(request(PLACE)).question(final("x")).is_too_long


def test_only_turns_are_asked_about() -> None:
    with pytest.raises(MalformedMessage, match="expected a Turn"):
        Prompt(request("a")).question(SERVER_CODEC.encode(ServerWarning(1, "soon")))


def test_an_answer_comes_with_the_turn_that_it_is_about() -> None:
    question = Prompt(request(PLACE)).question(final("Hello.", order=7))
    told = question.response(b'{"choices": [], "error": null, "note": "\xc3\xa9"}')
    assert SERVER_CODEC.decode(told) == LLMGatewayResponse(7, "Hello.", {"choices": [], "error": None, "note": "é"})
    assert told.isascii()


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b'"text"', b"\xff", b'{"a": NaN}', b'{"a": 1e999}', b'{"a":' * 900 + b"1" + b"}" * 900]
)
def test_what_is_no_json_object_is_no_answer(answer: bytes) -> None:
    question = Question(0, "", b"")
    try:
        told = question.response(answer)
    except ProtocolError:
        return
    assert len(answer) > 900, "deep, but not too deep for this interpreter"
    assert json.loads(told)["data"]


@given(st.binary() | st.text().map(str.encode))
def test_whatever_a_service_answers_is_told_or_refused(answer: bytes) -> None:
    try:
        told = Question(0, "", b"").response(answer)
    except ProtocolError:
        return
    assert isinstance(json.loads(told)["data"], dict)
