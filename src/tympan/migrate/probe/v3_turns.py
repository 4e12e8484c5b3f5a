"""What a v3 session told of the speech: turns, words, times, text and formatting. PURE."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from tympan.migrate.probe.findings import Finding, failed, left_out, noted, passed
from tympan.migrate.probe.record import Document, Heard, SessionRecord
from tympan.migrate.probe.word_errors import word_error_rate, words_of

_U3_NAMES = ("u3-", "universal-3-", "_universal-3-")

_AHEAD_MS = 100
"""A word may end so far after the audio that had been sent: the last chunk's share of the delay."""

_GOOD_ERROR_RATE, _POOR_ERROR_RATE = 0.15, 0.4


def is_u3(record: SessionRecord) -> bool:
    """Whether the session shows turns as the newer models do: one final, always formatted."""
    if record.first("SpeechStarted") is not None:
        return True
    begin = record.first("Begin")
    configuration = begin[1].get("configuration") if begin else None
    model = configuration.get("model") if isinstance(configuration, dict) else None
    return isinstance(model, str) and model.startswith(_U3_NAMES)


def turns_of(record: SessionRecord) -> Iterator[tuple[Heard, Document]]:
    """Turns that can be judged at all; `messages` tells about the others."""
    for heard, turn in record.of_type("Turn"):
        if type(turn.get("turn_order")) is int and isinstance(turn.get("words"), list):
            yield heard, turn


def words_of_turn(turn: Document) -> Iterator[Document]:
    """Words that have numbers for times."""
    for word in turn["words"]:
        is_readable = isinstance(word, dict) and "text" in word
        if is_readable and all(isinstance(word.get(name), int | float) for name in ("start", "end")):
            yield word


def finals_by_turn(record: SessionRecord) -> dict[int, list[tuple[Heard, Document]]]:
    """The messages that end each turn."""
    finals = defaultdict(list)
    for heard, turn in turns_of(record):
        if turn.get("end_of_turn") is True:
            finals[turn["turn_order"]].append((heard, turn))
    return dict(finals)


def transcript_of(record: SessionRecord) -> str:
    """The text of the ended turns, as the last final of each tells it."""
    return " ".join(str(finals[-1][1].get("transcript", "")) for finals in finals_by_turn(record).values())


def judge_turns(record: SessionRecord) -> Finding:
    """`turns`: they count up from 0, end once, and no final word changes."""
    order, ended, finals = 0, False, list[str]()
    for _, turn in turns_of(record):
        number = turn["turn_order"]
        if number == order + 1 and ended:
            order, ended, finals = number, False, []
        if number != order:
            advice = "count turns from 0, one more after each end of turn, and never go back"
            return failed("turns", f"turn_order {number} came where {order} was open", advice)
        if ended and not turn.get("end_of_turn"):
            return failed("turns", f"turn {order} goes on after its end", "begin a new turn after end_of_turn")
        words = [str(word["text"]) for word in words_of_turn(turn) if word.get("word_is_final")]
        if not is_u3(record) and not turn.get("turn_is_formatted"):
            if words[: len(finals)] != finals:
                advice = "a word with word_is_final must never change: hold words back until they are sure"
                return failed("turns", f"a final word of turn {order} changed", advice)
            finals = words
        ended = ended or turn.get("end_of_turn") is True
    count = len(finals_by_turn(record))
    if count == 0:
        return failed("turns", "no turn ended", "see the check 'transcription'")
    return passed("turns", f"{count} turns in order" if count > 1 else "1 turn")


def judge_times(record: SessionRecord) -> Finding:
    """`times`: word times are whole ms, in order, and inside the audio that had been sent."""
    return judge_word_times(turns_of(record))


def judge_word_times(messages: Iterable[tuple[Heard, Document]]) -> Finding:
    """The same for messages of any protocol that have `words`."""
    last_end_ms = None
    for heard, message in messages:
        previous_ms = 0
        for word in words_of_turn(message):
            start, end = word["start"], word["end"]
            if type(start) is not int or type(end) is not int:
                advice = "send integers: the official Python SDK stops reading at the first fraction"
                return failed("times", f"a word spans {start!r} to {end!r}, expected whole ms", advice)
            if not 0 <= start <= end or start < previous_ms:
                advice = "times are ms since the session's first sample, in order, and never start again with a turn"
                return failed(
                    "times", f"a word spans {start} to {end} ms after one that starts at {previous_ms}", advice
                )
            if end > heard.sent_ms + _AHEAD_MS:
                advice = "count time by samples received; check the sample rate that the server assumes"
                return failed("times", f"a word ends at {end} ms when {heard.sent_ms:.0f} ms had been sent", advice)
            previous_ms = start
            last_end_ms = max(last_end_ms or 0, end)
    if last_end_ms is None:
        return left_out("times", "no words came")
    return passed("times", f"word times whole, in order and inside the audio; the last word ends at {last_end_ms} ms")


def judge_transcription(record: SessionRecord, reference: str | None) -> Finding:
    """`transcription`: what was said came back."""
    return judge_text(transcript_of(record), reference)


def judge_text(text: str, reference: str | None) -> Finding:
    """The same for a text of any protocol."""
    if not words_of(text):
        advice = "check that the audio holds speech at the declared sample_rate and encoding, then the server's log"
        return failed("transcription", "no words came back", advice)
    if reference is None or not words_of(reference):
        told = f"{len(words_of(text))} words came; nothing to compare them with"
        return left_out("transcription", told, "say with --text FILE what the audio holds")
    rate = word_error_rate(reference, text)
    told = f"word error rate {rate:.1%} over {len(words_of(reference))} words"
    if rate > _POOR_ERROR_RATE:
        advice = "check the language and the model, that --text belongs to the audio, and that no audio is lost"
        return failed("transcription", told, advice)
    if rate > _GOOD_ERROR_RATE:
        return noted("transcription", told, "the server may be overloaded, or its model doesn't suit this audio")
    return passed("transcription", told)


def judge_formatted(record: SessionRecord) -> Finding:
    """`formatted`: with format_turns, each turn comes a second time, formatted; once where the model always formats."""
    finals = finals_by_turn(record)
    if not finals:
        return left_out("formatted", "no turn ended")
    flags = [[turn.get("turn_is_formatted") for _, turn in group] for group in finals.values()]
    if is_u3(record):
        return _judge_single_final("formatted", flags, is_formatted=True)
    if all(group == [False, True] for group in flags):
        return passed("formatted", "each turn ends raw, then formatted")
    if all(group == [True] for group in flags):
        advice = "clients written for two finals (raw, then formatted) read the one; those that count both don't"
        return noted("formatted", "each turn ends once, formatted at once", advice)
    if not any(True in group for group in flags):
        advice = "send a second final with turn_is_formatted: true, or tell users to read the raw one"
        return failed("formatted", "no formatted final came", advice)
    advice = "end each turn with turn_is_formatted false, then true, with the same turn_order"
    return failed("formatted", f"finals of the turns are {_flags(flags)}, expected false then true", advice)


def judge_plain(record: SessionRecord, until_s: float) -> Finding:
    """`plain`: without format_turns each turn ends once. Turns that ended before `until_s` count."""
    groups = finals_by_turn(record).values()
    flags = [[turn.get("turn_is_formatted") for _, turn in group] for group in groups if group[0][0].at_s <= until_s]
    if not flags:
        return left_out("plain", "no turn ended")
    return _judge_single_final("plain", flags, is_formatted=is_u3(record))


def _judge_single_final(check: str, flags: list[list[object]], *, is_formatted: bool) -> Finding:
    how = "formatted" if is_formatted else "unformatted"
    if all(group == [is_formatted] for group in flags):
        return passed(check, f"each turn ends once, {how}")
    advice = f"end each turn exactly once here, with turn_is_formatted {str(is_formatted).lower()}"
    return failed(check, f"finals of the turns are {_flags(flags)}", advice)


def _flags(flags: list[list[object]]) -> str:
    return ", ".join("+".join(str(flag).lower()[:9] for flag in group[:4]) for group in flags[:4])
