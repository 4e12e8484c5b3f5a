"""The worked sequences of the protocol reference, section 6, as a whole: our own server says exactly this."""

from __future__ import annotations

import time

import pytest
from call import Call, Message, broken
from endpoint import Endpoint
from talk import MONOLOGUE_MS, PROFANE_MS, SONNY_MS, TABLE_MS

US = "speech_model=universal-streaming-english"
U3 = "speech_model=u3-rt-pro"
MIDDLE_MS = 1000


@pytest.fixture
def known(endpoint: Endpoint) -> Endpoint:
    """A service that plays what the suite knows."""
    if not endpoint.is_ours:
        pytest.skip("needs a service that plays what the suite knows")
    return endpoint


def line(message: Message) -> str:
    """A message as section 6 writes it: only telling fields; `*` marks words that aren't final."""
    match message["type"]:
        case "Turn":
            words = " ".join(word["text"] + ("" if word["word_is_final"] else "*") for word in message["words"])
            marks = f"eot={message['end_of_turn']:d} fmt={message['turn_is_formatted']:d}"
            return f"Turn {message['turn_order']} {marks} {message['transcript']!r} [{words}] {message['utterance']!r}"
        case "SpeechStarted":
            return f"SpeechStarted {message['timestamp']}"
        case "Termination":
            return f"Termination {message['audio_duration_seconds']}"
        case kind:
            return str(kind)


def played(known: Endpoint, query: str, audio_ms: int = SONNY_MS) -> Call:
    call = known.calls(query)
    call.hears_begin()
    call.plays(bytes(audio_ms * 32))
    return call


def must_read(call: Call, section: str, *expected: str) -> None:
    came = [line(message) for message in call.messages]
    if came != list(expected):
        broken(f"{section}: the sequence is\n  " + "\n  ".join(expected), "\n  ".join(["", *came]), call)


HI = "Turn 0 eot=0 fmt=0 '' [hi*] ''"
SONNY_PARTIALS = (
    HI,
    "Turn 0 eot=0 fmt=0 '' [hi* my*] ''",
    "Turn 0 eot=0 fmt=0 'hi' [hi my* name*] ''",
    "Turn 0 eot=0 fmt=0 'hi my' [hi my name*] ''",
    "Turn 0 eot=0 fmt=0 'hi my' [hi my name* is*] ''",
    "Turn 0 eot=0 fmt=0 'hi my name' [hi my name is*] ''",
    "Turn 0 eot=0 fmt=0 'hi my name is' [hi my name is] ''",
    "Turn 0 eot=0 fmt=0 'hi my name is' [hi my name is sonny*] ''",
)


def test_6_1_us_with_formatted_turns(known: Endpoint) -> None:
    call = played(known, f"{US}&format_turns=True")
    call.terminates()
    must_read(
        call,
        "6.1",
        "Begin",
        *SONNY_PARTIALS,
        "Turn 0 eot=1 fmt=0 'hi my name is sonny' [hi my name is sonny] 'Hi, my name is Sonny.'",
        "Turn 0 eot=1 fmt=1 'Hi, my name is Sonny.' [Hi, my name is Sonny.] ''",
        "Termination 2",
    )


def test_6_2_us_without_formatted_turns(known: Endpoint) -> None:
    call = played(known, f"{US}&format_turns=False")
    call.terminates()
    must_read(
        call,
        "6.2",
        "Begin",
        *SONNY_PARTIALS,
        "Turn 0 eot=1 fmt=0 'hi my name is sonny' [hi my name is sonny] 'hi my name is sonny'",
        "Termination 2",
    )


def test_6_3_u3(known: Endpoint) -> None:
    call = played(known, U3)
    call.terminates()
    must_read(
        call,
        "6.3",
        "Begin",
        "SpeechStarted 100",
        "Turn 0 eot=0 fmt=0 'Hi, my name—' [Hi,* my* name—*] ''",
        "Turn 0 eot=0 fmt=0 'Hi, my name is Sonny—' [Hi,* my* name* is* Sonny—*] ''",
        "Turn 0 eot=1 fmt=1 'Hi, my name is Sonny.' [Hi, my name is Sonny.] 'Hi, my name is Sonny.'",
        "Termination 2",
    )


def test_6_4_an_update_is_not_answered_and_force_endpoint_ends_the_turn_in_both_finals(known: Endpoint) -> None:
    call = played(known, f"{US}&format_turns=true", MIDDLE_MS)
    call.sends({"type": "UpdateConfiguration", "min_turn_silence": 1000, "keyterms_prompt": ["CL44812"]})
    call.sends({"type": "ForceEndpoint"})
    call.sends({"type": "UpdateConfiguration", "keyterms_prompt": []})
    call.terminates()
    must_read(
        call,
        "6.4",
        "Begin",
        *SONNY_PARTIALS[:5],
        "Turn 0 eot=1 fmt=0 'hi my name is' [hi my name is] 'Hi, my name is'",
        "Turn 0 eot=1 fmt=1 'Hi, my name is' [Hi, my name is] ''",
        "Termination 1",
    )


def test_3_what_is_said_after_the_cut_opens_the_next_turn(known: Endpoint) -> None:
    call = played(known, f"{US}&include_partial_turns=false", MIDDLE_MS)
    call.sends({"type": "ForceEndpoint"})
    call.plays(bytes((SONNY_MS - MIDDLE_MS) * 32))
    call.terminates()
    must_read(
        call,
        "3",
        "Begin",
        "Turn 0 eot=1 fmt=0 'hi my name is' [hi my name is] 'hi my name is'",
        "Turn 1 eot=1 fmt=0 'sonny' [sonny] 'sonny'",
        "Termination 2",
    )


def test_6_5_terminate_with_a_turn_open_tells_it(known: Endpoint) -> None:
    call = played(known, f"{US}&include_partial_turns=false&format_turns=true", MIDDLE_MS)
    call.terminates()
    must_read(
        call,
        "6.5",
        "Begin",
        "Turn 0 eot=1 fmt=0 'hi my name is' [hi my name is] 'Hi, my name is'",
        "Turn 0 eot=1 fmt=1 'Hi, my name is' [Hi, my name is] ''",
        "Termination 1",
    )


def test_a_second_force_endpoint_has_nothing_to_end(known: Endpoint) -> None:
    call = played(known, f"{US}&include_partial_turns=false", MIDDLE_MS)
    for _ in range(3):
        call.sends({"type": "ForceEndpoint"})
    call.terminates()
    finals = [message for message in call.messages if message["type"] == "Turn"]
    if len(finals) != 1:
        broken("3: with no open turn ForceEndpoint does nothing", f"{len(finals)} finals", call)


def test_format_turns_holds_for_turns_that_end_after_its_change(known: Endpoint) -> None:
    call = played(known, f"{US}&include_partial_turns=false")
    call.sends({"type": "UpdateConfiguration", "format_turns": True})
    call.plays(bytes((TABLE_MS - SONNY_MS) * 32))
    call.terminates()
    came = [(turn["turn_order"], turn["turn_is_formatted"]) for turn in call.messages if turn["type"] == "Turn"]
    if came != [(0, False), (1, False), (1, True)]:
        broken("3: format_turns applies from now on", f"finals {came}", call)


@pytest.mark.parametrize("query", [US, f"{US}&format_turns=true", U3])
def test_profanity_is_masked_everywhere_when_asked_for(known: Endpoint, query: str) -> None:
    for is_asked in (True, False):
        call = played(known, f"{query}&filter_profanity={is_asked}", PROFANE_MS)
        call.terminates()
        text = str(call.messages)
        if ("shit" in text) is is_asked or ("s***" in text) is not is_asked:
            broken(f"2.1: filter_profanity={is_asked}: first letter and asterisks, or nothing", text[-600:], call)


def test_begin_tells_what_the_session_runs_with(endpoint: Endpoint) -> None:
    call = endpoint.calls("speech_model=u3-rt-pro&mode=max_accuracy&filter_profanity=true")
    begin = call.hears_begin()
    call.terminates()
    configuration = begin.get("configuration")
    if configuration is None:
        pytest.skip("4.1: older services leave it out")
    came = [configuration.get(name) for name in ("model", "mode")]
    if came != ["u3-rt-pro", "max_accuracy"]:
        broken("4.1: configuration tells model and mode", f"{configuration}", call)


def test_begin_tells_no_mode_on_a_us_model(endpoint: Endpoint) -> None:
    call = endpoint.calls(US)
    configuration = call.hears_begin().get("configuration", {})
    call.terminates()
    if configuration.get("mode") is not None:
        broken("4.1: mode is unset on US models", f"{configuration}", call)


def test_begin_expires_in_unix_seconds_at_most_3_hours_from_now(endpoint: Endpoint) -> None:
    call = endpoint.calls()
    begin, now_s = call.hears_begin(), time.time()
    call.terminates()
    if not now_s < begin["expires_at"] <= now_s + 10_800 + 60:
        broken("4.1: expires_at is now + 10800 in Unix seconds", f"{begin['expires_at'] - now_s:.0f} s from now", call)


def test_every_session_has_an_id_of_its_own(endpoint: Endpoint) -> None:
    ids = set()
    for _ in range(3):
        call = endpoint.calls()
        ids.add(call.hears_begin()["id"])
        call.terminates()
    assert len(ids) == 3, f"reference 4.1: the id is the session's own, came: {ids}"


@pytest.mark.parametrize("version", ["2025-05-12", "2024-01-01", "yesterday", ""])
def test_a_version_header_is_accepted_whatever_it_says(endpoint: Endpoint, version: str) -> None:
    call = endpoint.calls(headers={"AssemblyAI-Version": version})
    call.hears_begin()
    call.terminates()


def test_partials_of_a_monologue_come_every_3_s_unless_switched_off(known: Endpoint) -> None:
    counts = []
    for is_on in ("true", "false"):
        call = known.calls(f"{U3}&continuous_partials={is_on}")
        call.hears_begin()
        call.plays(bytes(MONOLOGUE_MS * 32), chunk_bytes=32_000)
        call.terminates()
        last = max(turn["turn_order"] for turn in call.messages if turn["type"] == "Turn")
        counts.append(sum(turn.get("turn_order") == last and not turn["end_of_turn"] for turn in call.messages))
    if counts != [4, 2]:
        broken("5.1: a partial about every 3 s with continuous_partials", f"{counts} partials with and without")
