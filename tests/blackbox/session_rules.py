"""Rules that hold for every session, whatever the model: order, numbers, times (protocol reference, section 4).

A rule gets a played session and says what is wrong with it. It is silent about what is another rule's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import message_shapes
from call import Message, short
from played_sessions import Played

Faults = Iterator[str]
ALL = frozenset({"US", "WHISPER", "U3"})


@dataclass(frozen=True)
class Rule:
    """`section` of the protocol reference that says so; `profiles` that it holds for."""

    name: str
    section: str
    judge: Callable[[Played], Faults]
    profiles: frozenset[str] = ALL


def only_known_messages_and_types(played: Played) -> Faults:
    for message in played.messages:
        yield from message_shapes.faults(message, is_ours=played.is_ours)


def begin_comes_first_and_once(played: Played) -> Faults:
    types = [message.get("type") for message in played.messages]
    if types[:1] != ["Begin"]:
        yield f"the first message is {types[:1]}"
    if types.count("Begin") != 1:
        yield f"Begin came {types.count('Begin')} times"


def termination_comes_last_and_then_1000(played: Played) -> Faults:
    types = [message.get("type") for message in played.messages]
    if types[-1:] != ["Termination"] or types.count("Termination") != 1:
        yield f"the last messages are {types[-3:]}, Termination came {types.count('Termination')} times"
    if (played.ended.code, played.ended.reason) != (1000, "Session Ended"):
        yield str(played.ended)


def termination_counts_the_audio(played: Played) -> Faults:
    for message in played.of_type("Termination"):
        counted = message.get("audio_duration_seconds")
        if not isinstance(counted, int) or abs(counted - played.audio_ms / 1000) > 0.51:
            yield f"{counted} s of audio counted, {played.audio_ms / 1000:g} s were sent"


def turns_count_from_0_one_by_one(played: Played) -> Faults:
    orders = [turn.get("turn_order") for turn in played.of_type("Turn")]
    seen = list(dict.fromkeys(orders))
    if seen != list(range(len(seen))):
        yield f"turns came in the order {seen}"


def turns_are_not_interleaved(played: Played) -> Faults:
    orders = [turn.get("turn_order") for turn in played.of_type("Turn")]
    for before, after in pairwise(orders):
        if isinstance(before, int) and isinstance(after, int) and after < before:
            yield f"turn {after} came after turn {before}"


def every_turn_ends_exactly_once(played: Played) -> Faults:
    expected = [False, True] if played.performance.has_two_finals else None
    for turn in played.turns():
        order = turn[0].get("turn_order")
        finals = [message for message in turn if message.get("end_of_turn") is True]
        formatted = [message.get("turn_is_formatted") for message in finals]
        if len(formatted) != 1 if expected is None else formatted != expected:
            yield f"turn {order} has finals with turn_is_formatted {formatted}, expected {expected or 'one'}"


def nothing_of_a_turn_follows_its_end(played: Played) -> Faults:
    for turn in played.turns():
        ends = [message.get("end_of_turn") for message in turn]
        first = ends.index(True) if True in ends else len(ends)
        if not all(ends[first:]):
            yield f"turn {turn[0].get('turn_order')}: end_of_turn is {ends}"


def a_final_is_never_empty(played: Played) -> Faults:
    for turn in played.of_type("Turn"):
        if turn.get("end_of_turn") and not (turn.get("words") and turn.get("transcript")):
            yield f"an empty final: {short(turn)}"


def a_final_reads_like_its_words(played: Played) -> Faults:
    for turn in played.of_type("Turn"):
        if turn.get("end_of_turn") and turn.get("transcript") != joined(turn["words"]):
            yield f"transcript {turn.get('transcript')!r}, words {joined(turn['words'])!r}"


def words_of_a_final_are_final(played: Played) -> Faults:
    for turn in played.of_type("Turn"):
        if turn.get("end_of_turn") and not all(word.get("word_is_final") for word in turn["words"]):
            yield f"turn {turn.get('turn_order')} ends with words that aren't final: {short(turn['words'])}"


def times_are_in_order_and_inside_the_audio(played: Played) -> Faults:
    for turn in played.of_type("Turn"):
        words = turn["words"]
        for word in words:
            if not 0 <= word["start"] <= word["end"] <= played.audio_ms:
                yield f"{word['text']!r} is at {word['start']}-{word['end']} ms of {played.audio_ms} ms"
        for before, after in pairwise(words):
            if after["start"] < before["start"] or after["end"] < before["end"]:
                yield f"{after['text']!r} at {after['start']} ms follows {before['text']!r} at {before['start']} ms"


def times_go_on_from_turn_to_turn(played: Played) -> Faults:
    finals = [turn[-1]["words"] for turn in played.turns() if turn[-1]["words"]]
    for before, after in pairwise(finals):
        last, first = before[-1], after[0]
        if first["start"] < last["start"] or first["end"] < last["end"]:
            yield f"{first['text']!r} at {first['start']} ms opens a turn after {last['text']!r} at {last['start']} ms"


def confidences_are_shares(played: Played) -> Faults:
    for turn in played.of_type("Turn"):
        values = [turn["end_of_turn_confidence"], *(word["confidence"] for word in turn["words"])]
        if not all(0 <= value <= 1 for value in values):
            yield f"confidences {values}"


def without_partials_only_ends_come(played: Played) -> Faults:
    partials = [turn for turn in played.of_type("Turn") if not turn.get("end_of_turn")]
    if partials and not played.performance.has_partials:
        yield f"{len(partials)} partials, like {short(partials[0])}"


def nothing_comes_unasked(played: Played) -> Faults:
    expected = {"Begin", "Turn", "Termination", *played.performance.asked_for}
    if played.performance.profile == "U3":
        expected.add("SpeechStarted")
    for message in played.messages:
        if message.get("type") not in expected:
            yield f"nobody asked for {short(message)}"


def a_language_is_told_where_it_was_asked_for(played: Played) -> Faults:
    is_asked = "language" in played.performance.asked_for
    for turn in played.of_type("Turn"):
        is_due = is_asked and bool(turn["words"]) and (bool(turn["utterance"]) or turn["end_of_turn"])
        has_both = "language_code" in turn and "language_confidence" in turn
        has_one = "language_code" in turn or "language_confidence" in turn
        if (is_due and not has_both) or (has_one and not is_due):
            yield f"language_code {turn.get('language_code')!r} in {short(turn)}"


def joined(words: list[Message]) -> str:
    """What words read like."""
    return " ".join(word["text"] for word in words)


SESSION_RULES = (
    Rule("messages hold what they should", "4.1-4.10", only_known_messages_and_types),
    Rule("Begin comes first and once", "4.1, 4.11", begin_comes_first_and_once),
    Rule("Termination comes last, then 1000", "4.4, 4.11", termination_comes_last_and_then_1000),
    Rule("Termination counts the audio", "4.4", termination_counts_the_audio),
    Rule("turn_order counts from 0", "4.3", turns_count_from_0_one_by_one),
    Rule("turns are not interleaved", "4.11", turns_are_not_interleaved),
    Rule("every turn ends exactly once", "0.1 rule 8, 5.4", every_turn_ends_exactly_once),
    Rule("nothing of a turn follows its end", "4.11", nothing_of_a_turn_follows_its_end),
    Rule("a final is never empty", "3, 5.4", a_final_is_never_empty),
    Rule("a final reads like its words", "5.1", a_final_reads_like_its_words),
    Rule("words of a final are final", "5.1", words_of_a_final_are_final),
    Rule("times are in order and inside the audio", "5.2", times_are_in_order_and_inside_the_audio),
    Rule("times go on from turn to turn", "5.2", times_go_on_from_turn_to_turn),
    Rule("confidences are from 0 to 1", "4.3", confidences_are_shares),
    Rule("without partials only ends come", "5.5", without_partials_only_ends_come),
    Rule("nothing comes unasked", "0.1 rule 5", nothing_comes_unasked),
    Rule("a language is told where asked for", "4.3", a_language_is_told_where_it_was_asked_for),
)
