"""What a client says in text (protocol reference, section 3): good, bad, and in every field of an update."""

from __future__ import annotations

import json

import pytest
from call import Call, Message, short
from endpoint import Endpoint, Strictness
from update_rows import UNUSABLE_TEXTS, UPDATE_ROWS, WITHOUT_EFFECT, UpdateRow

PREFIX = "User Input Validation Error: "


def values(kind: str) -> list[object]:
    """One case a value."""
    return [
        pytest.param(row, value, id=f"{row.name}={short(value, 40)}")
        for row in UPDATE_ROWS
        for value in getattr(row, kind)
    ]


def begun(endpoint: Endpoint, *, is_u3: bool = False) -> Call:
    call = endpoint.calls("speech_model=u3-rt-pro" if is_u3 else "speech_model=universal-streaming-english")
    call.hears_begin()
    return call


def update(row: UpdateRow, value: object) -> Message:
    return {"type": "UpdateConfiguration", row.name: value}


def goes_on(call: Call) -> None:
    """No reply came, and the session can still end gracefully."""
    ended = call.terminates()
    assert [message["type"] for message in ended.messages] == ["Begin", "Termination"], (
        f"reference 4.11: control messages are never acknowledged; {call.story()}"
    )


@pytest.mark.parametrize(("row", "value"), values("taken"))
def test_an_update_with_a_good_value_is_taken_without_a_reply(
    endpoint: Endpoint, row: UpdateRow, value: object
) -> None:
    call = begun(endpoint, is_u3=row.is_u3)
    call.sends(update(row, value))
    goes_on(call)


@pytest.mark.parametrize(("row", "value"), values("refused"))
def test_an_update_with_a_bad_value_is_3006(endpoint: Endpoint, row: UpdateRow, value: object) -> None:
    call = begun(endpoint, is_u3=row.is_u3)
    says = "3: an invalid value of an update is fatal, 3006"
    call.ends_by(update(row, value), says).must_be(3006, f"{PREFIX}Invalid '{row.name}", says)


@pytest.mark.parametrize(("row", "value"), values("clamped"))
def test_an_update_out_of_range_is_taken_or_when_strict_3006(endpoint: Endpoint, row: UpdateRow, value: object) -> None:
    if endpoint.strictness is Strictness.UNKNOWN:
        pytest.skip("give --expect-profile: lenient services take it, strict ones refuse it")
    call = begun(endpoint, is_u3=row.is_u3)
    if endpoint.is_strict:
        says = "2.2: values outside a documented range are 3006"
        call.ends_by(update(row, value), says).must_be(3006, f"{PREFIX}Invalid '{row.name}", says)
    else:
        call.sends(update(row, value))
        goes_on(call)


@pytest.mark.parametrize("row", UPDATE_ROWS, ids=lambda row: row.name)
def test_null_leaves_a_value_as_it_is(endpoint: Endpoint, row: UpdateRow) -> None:
    call = begun(endpoint, is_u3=row.is_u3)
    call.sends(update(row, None))
    goes_on(call)


@pytest.mark.parametrize("fields", WITHOUT_EFFECT.values(), ids=WITHOUT_EFFECT)
def test_an_update_that_changes_nothing_ends_nothing(endpoint: Endpoint, fields: Message) -> None:
    call = begun(endpoint)
    call.sends({"type": "UpdateConfiguration", **fields})
    goes_on(call)


@pytest.mark.parametrize("field", ["mode", "prompt", "agent_context"])
def test_an_update_that_belongs_to_u3_is_ignored_or_when_strict_refused_elsewhere(
    endpoint: Endpoint, field: str
) -> None:
    if endpoint.strictness is Strictness.UNKNOWN:
        pytest.skip("give --expect-profile")
    call = begun(endpoint)
    message = {"type": "UpdateConfiguration", field: "balanced"}
    if endpoint.is_strict:
        says = f"2.2: {field} is refused on other models"
        call.ends_by(message, says).must_be(3006, f"{PREFIX}Invalid '{field}", says)
    else:
        call.sends(message)
        goes_on(call)


@pytest.mark.parametrize(("text", "goes_on_with"), UNUSABLE_TEXTS.values(), ids=UNUSABLE_TEXTS)
def test_an_unusable_text_is_3006(endpoint: Endpoint, text: str, goes_on_with: str) -> None:
    call = begun(endpoint)
    says = "3: a text that is no message ends the session with 3006"
    call.ends_by(text, says).must_be(3006, PREFIX + goes_on_with, says)


@pytest.mark.parametrize("kind", ["KeepAlive", "ForceEndpoint"])
def test_a_message_that_has_nothing_to_do_is_not_answered(endpoint: Endpoint, kind: str) -> None:
    call = begun(endpoint)
    for _ in range(3):
        call.sends({"type": kind})
    goes_on(call)


def test_a_message_may_hold_fields_that_nobody_knows(endpoint: Endpoint) -> None:
    call = begun(endpoint)
    call.sends({"type": "KeepAlive", "colour": {"name": "blue"}})
    goes_on(call)


def test_a_control_message_sent_as_binary_is_audio_and_no_control(endpoint: Endpoint) -> None:
    call = begun(endpoint)
    call.sends(json.dumps({"type": "Terminate"}).encode() * 60)
    goes_on(call)


def test_messages_before_begin_has_come_are_heeded(endpoint: Endpoint) -> None:
    call = endpoint.calls()
    call.plays(b"\0" * 16_000)
    ended = call.terminates()
    termination = ended.messages[-1]
    assert termination["audio_duration_seconds"] in (0, 1), (
        f"reference 3: audio before Begin is buffered; {call.story()}"
    )


def test_what_comes_after_terminate_has_no_effect(endpoint: Endpoint) -> None:
    call = begun(endpoint)
    call.sends({"type": "Terminate"})
    for message in ("no JSON", b"\0" * 3200, {"type": "Sing"}, {"type": "ForceEndpoint"}):
        call.sends(message)
    call.hears_end().must_be_graceful("3: what comes after Terminate is ignored")
