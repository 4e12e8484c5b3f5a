"""Rules of what a turn looks like, one set for each profile (protocol reference, sections 4.2 and 5)."""

from __future__ import annotations

from itertools import pairwise

from call import Message, short
from played_sessions import Played
from session_rules import Faults, Rule, joined

WORD_BY_WORD = frozenset({"US", "WHISPER"})
WHOLE_TURNS = frozenset({"U3"})


def _finals(turn: Message) -> list[str]:
    """The texts of the leading words that are final."""
    texts = []
    for word in turn["words"]:
        if not word["word_is_final"]:
            break
        texts.append(word["text"])
    return texts


def final_words_come_before_all_others(played: Played) -> Faults:
    for turn in played.of_type("Turn"):
        flags = [word["word_is_final"] for word in turn["words"]]
        if flags != sorted(flags, reverse=True):
            yield f"a tentative word before a final one: {short(turn['words'])}"


def a_final_word_stays_as_it_is(played: Played) -> Faults:
    for messages in played.turns():
        raw = [message for message in messages if not message["turn_is_formatted"]]
        for before, after in pairwise(raw):
            kept = _finals(after)[: len(_finals(before))]
            if kept != _finals(before):
                yield f"turn {after['turn_order']}: final words {_finals(before)} became {kept}"


def the_transcript_of_a_partial_is_its_final_words(played: Played) -> Faults:
    for turn in played.of_type("Turn"):
        if turn["end_of_turn"]:
            continue
        finals = " ".join(_finals(turn))
        may_lag = not played.is_ours and bool(turn["utterance"])
        if turn["transcript"] != finals and not (may_lag and finals.startswith(turn["transcript"])):
            yield f"transcript {turn['transcript']!r}, final words {finals!r}"


def raw_words_are_plain(played: Played) -> Faults:
    for turn in played.of_type("Turn"):
        for word in [] if turn["turn_is_formatted"] else turn["words"]:
            text = word["text"]
            if text != text.lower() or text.strip(".,?!;:") != text:
                yield f"{text!r} in an unformatted message"


def only_the_second_final_is_formatted(played: Played) -> Faults:
    for turn in played.of_type("Turn"):
        if turn["turn_is_formatted"] and not (turn["end_of_turn"] and played.performance.has_two_finals):
            yield f"turn_is_formatted in {short(turn)}"


def the_formatted_final_follows_the_raw_one_at_once(played: Played) -> Faults:
    if not played.performance.has_two_finals:
        return
    for before, after in pairwise(played.messages):
        is_raw_end = before.get("end_of_turn") is True and not before.get("turn_is_formatted")
        is_its_pair = after.get("turn_is_formatted") is True and after.get("turn_order") == before.get("turn_order")
        if is_raw_end and not is_its_pair:
            yield f"after the raw final of turn {before['turn_order']} came {short(after, 120)}"


def an_utterance_is_told_once(played: Played) -> Faults:
    """On a partial or on the raw final; together the utterances of a turn are its words."""
    for messages in played.turns():
        told = [message["utterance"] for message in messages if message["utterance"]]
        raw = next((message for message in messages if message["end_of_turn"]), None)
        if any(message["utterance"] for message in messages if message["turn_is_formatted"]):
            yield f"an utterance on the formatted final: {short(messages[-1])}"
        if raw is None or not played.is_ours or not played.performance.has_partials:
            continue
        if _letters(" ".join(told)) != _letters(raw["transcript"]):
            yield f"utterances {told}, the turn {raw['transcript']!r}"


def a_partial_is_not_repeated(played: Played) -> Faults:
    for messages in played.turns():
        for before, after in pairwise(messages):
            is_same = [(w["text"], w["word_is_final"]) for w in before["words"]] == [
                (w["text"], w["word_is_final"]) for w in after["words"]
            ]
            if is_same and not after["end_of_turn"] and not after["utterance"]:
                yield f"told twice: {short(after)}"


def speech_starts_are_not_announced(played: Played) -> Faults:
    yield from (f"{short(message)}" for message in played.of_type("SpeechStarted"))


def speech_starts_once_a_turn_right_before_it(played: Played) -> Faults:
    announced, latest = 0, -1
    for before, after in pairwise(played.messages):
        if before.get("type") == "SpeechStarted":
            announced += 1
            if after.get("type") != "Turn" or after["turn_order"] <= latest:
                yield f"after SpeechStarted came {short(after, 120)}"
        if after.get("type") == "Turn" and after["turn_order"] > latest:
            latest = after["turn_order"]
            if before.get("type") != "SpeechStarted":
                yield f"turn {latest} began without SpeechStarted: {short(after, 120)}"
    if announced != len(played.turns()):
        yield f"{announced} SpeechStarted, {len(played.turns())} turns"


def speech_starts_are_inside_the_audio_and_in_order(played: Played) -> Faults:
    times = [message["timestamp"] for message in played.of_type("SpeechStarted")]
    if times != sorted(times) or not all(0 <= time <= played.audio_ms for time in times):
        yield f"timestamps {times} in {played.audio_ms} ms of audio"
    for message in played.of_type("SpeechStarted"):
        if not 0 <= message["confidence"] <= 1:
            yield f"{short(message)}"


def no_word_of_a_partial_is_final(played: Played) -> Faults:
    for turn in played.of_type("Turn"):
        if not turn["end_of_turn"] and any(word["word_is_final"] for word in turn["words"]):
            yield f"final words in a partial: {short(turn)}"


def a_partial_says_the_whole_turn(played: Played) -> Faults:
    for turn in played.of_type("Turn"):
        if turn["transcript"] != joined(turn["words"]):
            yield f"transcript {turn['transcript']!r}, words {joined(turn['words'])!r}"


def formatted_means_the_end(played: Played) -> Faults:
    for turn in played.of_type("Turn"):
        if turn["turn_is_formatted"] != turn["end_of_turn"]:
            yield f"turn_is_formatted {turn['turn_is_formatted']}, end_of_turn {turn['end_of_turn']}"


def the_utterance_is_the_final(played: Played) -> Faults:
    for turn in played.of_type("Turn"):
        if turn["utterance"] != (turn["transcript"] if turn["end_of_turn"] else ""):
            yield f"utterance {turn['utterance']!r} in {short(turn)}"


def a_final_is_sure(played: Played) -> Faults:
    for turn in played.of_type("Turn"):
        if turn["end_of_turn"] and turn["end_of_turn_confidence"] != 1:
            yield f"end_of_turn_confidence {turn['end_of_turn_confidence']} on a final"


def a_final_is_formatted(played: Played) -> Faults:
    for turn in played.of_type("Turn"):
        text = turn["transcript"]
        if turn["end_of_turn"] and text[:1] != text[:1].upper():
            yield f"{text!r}"


def silence_is_told_in_order(played: Played) -> Faults:
    latest_ms = 0
    for message in played.of_type("Silence"):
        if not latest_ms <= message["start_ms"] < message["end_ms"] <= played.audio_ms:
            yield f"{short(message)} after silence up to {latest_ms} ms"
        latest_ms = message["end_ms"]


def _letters(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum() or character == "*")


TURN_RULES = (
    Rule("final words come before all others", "5.1", final_words_come_before_all_others, WORD_BY_WORD),
    Rule("a final word stays as it is", "5.1", a_final_word_stays_as_it_is, WORD_BY_WORD),
    Rule(
        "a partial's transcript is its final words", "5.1", the_transcript_of_a_partial_is_its_final_words, WORD_BY_WORD
    ),
    Rule("raw words are plain", "5.4", raw_words_are_plain, WORD_BY_WORD),
    Rule("only the second final is formatted", "5.4", only_the_second_final_is_formatted, WORD_BY_WORD),
    Rule("the formatted final follows at once", "5.4", the_formatted_final_follows_the_raw_one_at_once, WORD_BY_WORD),
    Rule("an utterance is told once", "5.1", an_utterance_is_told_once, WORD_BY_WORD),
    Rule("a partial is not repeated", "docs/reference/protocol.md", a_partial_is_not_repeated, WORD_BY_WORD),
    Rule("speech starts are not announced", "4.2", speech_starts_are_not_announced, WORD_BY_WORD),
    Rule("speech starts once a turn, right before it", "4.2", speech_starts_once_a_turn_right_before_it, WHOLE_TURNS),
    Rule("speech starts are in order", "4.2", speech_starts_are_inside_the_audio_and_in_order, WHOLE_TURNS),
    Rule("no word of a partial is final", "5.1", no_word_of_a_partial_is_final, WHOLE_TURNS),
    Rule("a partial says the whole turn", "5.1", a_partial_says_the_whole_turn, WHOLE_TURNS),
    Rule("formatted means the end", "5.4", formatted_means_the_end, WHOLE_TURNS),
    Rule("the utterance is the final", "5.1", the_utterance_is_the_final, WHOLE_TURNS),
    Rule("a final is sure", "4.3", a_final_is_sure, WHOLE_TURNS),
    Rule("a final is formatted", "5.1", a_final_is_formatted, WHOLE_TURNS),
    Rule("silence is told in order", "4.8", silence_is_told_in_order, WHOLE_TURNS),
)
