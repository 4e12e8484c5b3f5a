"""Which silence ends a turn (protocol reference, sections 2.1, 2.2 and 5.3), told by how a known talk falls into turns.

Our own server plays a ladder of words with longer and longer pauses; where a turn ends shows the threshold to 20 ms.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from call import Call, Message, broken
from endpoint import Endpoint, Strictness
from talk import LADDER, LADDER_END_MS, SONNY_CONFIDENCE, SONNY_MS

US = "speech_model=universal-streaming-english"
U3 = "speech_model=u3-rt-pro"
NEVER = 1_000_000


@dataclass(frozen=True)
class Thresholds:
    """The shortest pause after which a turn ended, behind sure words and behind unsure ones."""

    sure_ms: int
    unsure_ms: int


def broken_pauses(call: Call) -> Iterator[tuple[int, bool, bool]]:
    """Each pause of the ladder: how long, after a sure word, and whether a turn ended in it."""
    last_words = {
        turn["words"][-1]["text"].lower().strip(".,?!") for turn in call.messages if turn.get("end_of_turn") is True
    }
    for rung in LADDER:
        yield rung.pause_ms, rung.is_sure, rung.word in last_words


def thresholds(call: Call) -> Thresholds:
    """What ended turns; every longer pause must have ended one too."""
    shortest = {True: NEVER, False: NEVER}
    for pause_ms, is_sure, has_ended in broken_pauses(call):
        if has_ended:
            shortest[is_sure] = min(shortest[is_sure], pause_ms)
        elif pause_ms > shortest[is_sure]:
            broken("5.3: what ends a turn does so in every longer pause", f"not in {pause_ms} ms", call)
    return Thresholds(shortest[True], shortest[False])


def climbs(service: Endpoint, query: str, *updates: Message) -> Call:
    """A session that hears the ladder; updates come when Sonny has spoken."""
    if not service.is_ours:
        pytest.skip("needs a service that plays what the suite knows")
    call = service.calls(query)
    call.hears_begin()
    call.plays(bytes(SONNY_MS * 32), chunk_bytes=32_000)
    for update in updates:
        call.sends({"type": "UpdateConfiguration", **update})
    call.plays(bytes((LADDER_END_MS - SONNY_MS) * 32), chunk_bytes=32_000)
    call.terminates()
    return call


LADDERS = {
    "US defaults: 400 and 1280": (US, 400, 1280),
    "no model: those of US": ("", 400, 1280),
    "whisper: those of US": ("speech_model=whisper-rt", 400, 1280),
    "min_turn_silence": (f"{US}&min_turn_silence=600", 600, 1280),
    "its older name": (f"{US}&min_end_of_turn_silence_when_confident=600", 600, 1280),
    "its newer name wins": (f"{US}&min_turn_silence=600&min_end_of_turn_silence_when_confident=300", 600, 1280),
    "max_turn_silence": (f"{US}&max_turn_silence=1000", 400, 1000),
    "max below min counts as min": (f"{US}&min_turn_silence=600&max_turn_silence=300", 600, 780),
    "both the same": (f"{US}&min_turn_silence=300&max_turn_silence=300", 300, 300),
    "threshold 0: the shorter silence always": (f"{US}&end_of_turn_confidence_threshold=0", 400, 400),
    "threshold 1: the longer silence alone": (f"{US}&end_of_turn_confidence_threshold=1", 1280, 1280),
    "threshold above the confidence": (f"{US}&end_of_turn_confidence_threshold=0.9", 1280, 1280),
    "threshold below the confidence": (f"{US}&end_of_turn_confidence_threshold=0.1999", 400, 400),
    "U3 defaults: 1000 at the latest": (U3, 300, 1000),
    "U3 does not heed the threshold": (f"{U3}&end_of_turn_confidence_threshold=1", 300, 1000),
    "U3 max_turn_silence": (f"{U3}&max_turn_silence=800", 300, 800),
    "U3 as agents ask for it: 300 all the same": (f"{U3}&min_turn_silence=100&max_turn_silence=100", 300, 300),
    "U3 min_latency": (f"{U3}&mode=min_latency", 300, 800),
    "U3 max_accuracy": (f"{U3}&mode=max_accuracy&max_turn_silence=1000", 400, 1000),
    "U3 a value beside a mode wins": (f"{U3}&mode=min_latency&max_turn_silence=1280", 300, 1280),
}
"""What is asked for, and the pauses that end turns after sure and after unsure words."""


@pytest.mark.parametrize(("query", "sure_ms", "unsure_ms"), LADDERS.values(), ids=LADDERS)
def test_turns_end_in_pauses_of_that_length(endpoint: Endpoint, query: str, sure_ms: int, unsure_ms: int) -> None:
    call = climbs(endpoint, query)
    came = thresholds(call)
    if came != Thresholds(sure_ms, unsure_ms):
        broken(f"2.1, 5.3: turns end in pauses of {sure_ms} ms, or {unsure_ms} ms where unsure", f"{came}", call)


UPDATES: dict[str, tuple[str, Message, int, int]] = {
    "min_turn_silence": (US, {"min_turn_silence": 600}, 600, 1280),
    "its older name": (US, {"min_end_of_turn_silence_when_confident": 600}, 600, 1280),
    "max_turn_silence": (US, {"max_turn_silence": 800}, 400, 800),
    "threshold": (US, {"end_of_turn_confidence_threshold": 0}, 400, 400),
    "null leaves it": (f"{US}&min_turn_silence=600", {"min_turn_silence": None}, 600, 1280),
    "another field leaves it": (f"{US}&min_turn_silence=600", {"max_turn_silence": 1000}, 600, 1000),
    "mode": (U3, {"mode": "min_latency"}, 300, 800),
    "mode is ignored on US": (US, {"max_turn_silence": 1000}, 400, 1000),
}


@pytest.mark.parametrize(("query", "update", "sure_ms", "unsure_ms"), UPDATES.values(), ids=UPDATES)
def test_an_update_holds_from_then_on(
    endpoint: Endpoint, query: str, update: Message, sure_ms: int, unsure_ms: int
) -> None:
    call = climbs(endpoint, query, update)
    came = thresholds(call)
    if came != Thresholds(sure_ms, unsure_ms):
        broken(f"3: the update holds from now on: {sure_ms} and {unsure_ms} ms", f"{came}", call)


CLAMPED = {
    "min_turn_silence=-5": (100, 1280),
    "max_turn_silence=0": (400, 400),
    "end_of_turn_confidence_threshold=-1": (400, 400),
    "end_of_turn_confidence_threshold=7": (1280, 1280),
}


@pytest.mark.parametrize(("given", "thresholds_ms"), CLAMPED.items(), ids=CLAMPED)
def test_a_value_out_of_range_counts_as_the_nearest_one(
    endpoint: Endpoint, given: str, thresholds_ms: tuple[int, int]
) -> None:
    if endpoint.strictness is not Strictness.LENIENT:
        pytest.skip("2.2: of lenient services")
    call = climbs(endpoint, f"{US}&{given}")
    came = thresholds(call)
    if came != Thresholds(*thresholds_ms):
        broken(f"2.2: {given} is clamped: {thresholds_ms} ms", f"{came}", call)


@pytest.mark.parametrize(
    ("threshold", "ends_by_confidence"), [(SONNY_CONFIDENCE - 0.01, True), (SONNY_CONFIDENCE, False)]
)
def test_a_turn_ends_where_its_confidence_exceeds_the_threshold(
    endpoint: Endpoint, threshold: float, ends_by_confidence: bool
) -> None:
    """Sonny's pause is longer than the shorter silence and, in this audio, shorter than the longer one."""
    if not endpoint.is_ours:
        pytest.skip("needs a service that plays what the suite knows")
    call = endpoint.calls(f"{US}&end_of_turn_confidence_threshold={threshold}")
    call.hears_begin()
    call.plays(bytes(SONNY_MS * 32))
    call.sends({"type": "UpdateConfiguration", "format_turns": True})
    call.terminates()
    finals = [turn for turn in call.messages if turn.get("end_of_turn")]
    expected = [False] if ends_by_confidence else [False, True]
    if [turn["turn_is_formatted"] for turn in finals] != expected:
        broken("5.3: confidence > threshold ends a turn", f"with {threshold}: {finals}", call)


def test_nothing_ends_while_no_audio_comes(endpoint: Endpoint) -> None:
    """Silence is measured in audio: the turn ends with the very audio that makes its pause long enough."""
    if not endpoint.is_ours:
        pytest.skip("needs a service that plays what the suite knows")
    call = endpoint.calls(US)
    call.hears_begin()
    call.plays(bytes(1780 * 32), chunk_bytes=890 * 32)
    call.sends({"type": "ForceEndpoint"})
    forced = call.hears_final("3: ForceEndpoint ends the open turn, which silence hasn't ended yet")
    assert forced["transcript"] == "hi my name is sonny", f"reference 5.3: silence is audio; {call.story()}"
    call.terminates()
    assert len([turn for turn in call.messages if turn.get("end_of_turn")]) == 1
