"""The seam between two sessions: whatever is cut wherever, the transcript goes on as if nothing had been."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from zlib import crc32

from hypothesis import example, given
from hypothesis import strategies as st
from plain_service import raw_text, u3_session, us_session

from tympan.client.seam import Seam, Told
from tympan.core.effects import Control, ForceEndpoint
from tympan.engines.scripted import ScriptedWord
from tympan.wire.v3.messages import SpeechStarted, Termination, Turn, Word

Conversation = tuple[ScriptedWord, ...]
SessionFrom = Callable[[int], list[Told]]
"""All that a service tells in a session whose audio begins at that time."""


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """Words of a small vocabulary, so that they repeat, with pauses that end turns and pauses that don't."""
    words: list[ScriptedWord] = []
    end_ms = 0
    for _ in range(draw(st.integers(1, 12))):
        start_ms = end_ms + draw(st.sampled_from([0, 0, 0, 40, 100, 390, 410, 700, 1270, 1290, 3000]))
        end_ms = start_ms + draw(st.sampled_from([20, 60, 200, 480]))
        words.append(
            ScriptedWord(
                draw(st.sampled_from(["no", "yes", "maybe", "well", "ja"])),
                start_ms,
                end_ms,
                shown_after_ms=draw(st.sampled_from([0, 100])),
                final_after_ms=draw(st.sampled_from([100, 500, 900])),
                end_of_turn_confidence=draw(st.sampled_from([0.0, 0.9])),
            )
        )
    return tuple(words)


@st.composite
def speeches(draw: st.DrawFn) -> Conversation:
    """Words that are all different and long enough to be told apart by time."""
    words: list[ScriptedWord] = []
    end_ms = 0
    for index in range(draw(st.integers(1, 10))):
        start_ms = end_ms + draw(st.sampled_from([0, 0, 0, 40, 410, 1290]))
        end_ms = start_ms + draw(st.sampled_from([200, 480]))
        words.append(ScriptedWord(f"w{index}", start_ms, end_ms))
    return tuple(words)


def misplaced(messages: list[Told], origin_ms: int) -> list[Told]:
    """As a session tells them that places each word up to 80 ms beside where it is, and other sessions elsewhere."""

    def moved(word: Word) -> Word:
        by_ms = crc32(f"{word.text} {origin_ms}".encode()) % 161 - 80
        return replace(word, start=max(0, word.start + by_ms), end=max(0, word.end + by_ms))

    return [
        replace(item, words=tuple(moved(word) for word in item.words)) if isinstance(item, Turn) else item
        for item in messages
    ]


def continued(seam: Seam, session_from: SessionFrom, cuts: list[int]) -> list[Told]:
    """What a caller is told whose connection is cut after so many messages, again and again."""
    told: list[Told] = []
    origin_ms = 0
    for cut in cuts:
        messages = session_from(origin_ms)
        told += heard(seam, messages[: cut % len(messages)], origin_ms)
        origin_ms = seam.replay_from_ms(0)
        told += seam.cut(origin_ms, session_s=0)
    return told + heard(seam, session_from(origin_ms), origin_ms)


def heard(seam: Seam, messages: list[Told], origin_ms: int) -> list[Told]:
    """What is told of a session that also says how far it has come: before a word is told, up to its start."""
    told: list[Told] = []
    heard_ms = 0
    for message in messages:
        fresh = [word for word in message.words if word.end > heard_ms] if isinstance(message, Turn) else []
        if fresh:
            told += seam.advance(fresh[0].start + origin_ms)
            heard_ms = fresh[-1].end
        told += seam.receive(message)
    return told


def check_continuity(told: list[Told]) -> tuple[list[Word], list[Word]]:
    """What holds for every transcript; returns the words of its first finals and of its formatted finals."""
    raw: list[Word] = []
    formatted: list[Word] = []
    order, final, has_ended, has_formatted = 0, (), False, False
    for turn in told:
        if not isinstance(turn, Turn):
            continue
        if has_ended and turn.turn_order == order + 1:
            order, final, has_ended, has_formatted = order + 1, (), False, False
        assert turn.turn_order == order, "turns come in order, and none is left out"
        shown = tuple(word for word in turn.words if word.word_is_final)
        assert turn.words[: len(shown)] == shown, "final words come first"
        if has_ended:
            assert turn.end_of_turn
            assert turn.turn_is_formatted
            assert not has_formatted, "a turn is told formatted once"
            has_formatted = True
            formatted += turn.words
            continue
        assert shown[: len(final)] == final, "a final word never changes, and none is taken back"
        final = shown
        if turn.end_of_turn:
            has_ended, has_formatted = True, turn.turn_is_formatted
            raw += turn.words
    assert has_ended or not raw or final == (), "every turn with final words has ended"
    starts = [word.start for word in raw]
    assert starts == sorted(starts), "times are monotone"
    assert isinstance(told[-1], Termination)
    assert not any(isinstance(item, Termination) for item in told[:-1])
    return raw, formatted


def spoken(words: Conversation) -> list[tuple[str, int, int]]:
    return [(raw_text(word), word.start_ms, word.end_ms) for word in words]


def written(words: list[Word]) -> list[tuple[str, int, int]]:
    return [(word.text.strip(".,?!").lower(), word.start, word.end) for word in words]


@given(conversations(), st.lists(st.integers(0, 8000), max_size=3))
def test_a_service_that_ends_the_turn_because_it_leaves_costs_no_word(
    words: Conversation, left_at_ms: list[int]
) -> None:
    until_ms = words[-1].end_ms + 3000
    seam = Seam(is_formatting=True)
    told: list[Told] = []
    origin_ms = 0
    for left_ms in sorted(left_at_ms):
        for message in us_session(words, origin_ms, max(origin_ms, min(left_ms, until_ms)))[:-1]:
            told += seam.receive(message)
        origin_ms = seam.replay_from_ms(0, is_abrupt=True)
        told += seam.cut(origin_ms, session_s=0)
    for message in us_session(words, origin_ms, until_ms):
        told += seam.receive(message)

    raw, _ = check_continuity(told)
    assert written(raw) == spoken(words)


CUTS = st.lists(st.integers(0, 200), max_size=3)


NO_NO = (ScriptedWord("no", 0, 20), ScriptedWord("no", 20, 40))


@given(conversations(), CUTS, st.lists(st.integers(0, 8000), max_size=2))
@example(NO_NO, [5], [20])
def test_no_word_is_lost_or_doubled_wherever_a_conversation_is_cut(
    words: Conversation, cuts: list[int], forced_at_ms: list[int]
) -> None:
    until_ms = words[-1].end_ms + 3000
    controls: dict[int, Control] = dict.fromkeys(forced_at_ms, ForceEndpoint())

    told = continued(
        Seam(is_formatting=True), lambda origin_ms: us_session(words, origin_ms, until_ms, controls=controls), cuts
    )

    raw, formatted = check_continuity(told)
    assert written(raw) == spoken(words)
    assert written(formatted) == spoken(words)
    assert abs(told[-1].audio_duration_seconds - until_ms / 1000) <= 1  # type: ignore[union-attr]


@given(conversations(), CUTS)
def test_turns_that_are_told_once_go_on_just_as_well(words: Conversation, cuts: list[int]) -> None:
    until_ms = words[-1].end_ms + 100

    def session_from(origin_ms: int) -> list[Told]:
        return us_session(words, origin_ms, until_ms, format_turns=False)

    raw, formatted = check_continuity(continued(Seam(), session_from, cuts))

    assert written(raw) == spoken(words)
    assert formatted == []


@given(conversations(), CUTS)
def test_where_nothing_is_final_before_the_end_a_turn_is_told_anew(words: Conversation, cuts: list[int]) -> None:
    until_ms = words[-1].end_ms

    told = continued(Seam(), lambda origin_ms: u3_session(words, origin_ms, until_ms), cuts)

    raw, _ = check_continuity(told)
    assert [(word.text, word.start, word.end) for word in raw] == [
        (word.text, word.start_ms, word.end_ms) for word in words
    ]
    starts = [index for index, item in enumerate(told) if isinstance(item, SpeechStarted)]
    turns = [item for item in told if isinstance(item, Turn)]
    assert len(starts) == turns[-1].turn_order + 1, "speech starts once a turn"
    assert all(isinstance(told[index + 1], Turn) for index in starts), "and a turn follows"


@given(speeches(), CUTS)
def test_where_words_are_placed_inexactly_a_seam_costs_one_of_them_at_most(
    words: Conversation, cuts: list[int]
) -> None:
    until_ms = words[-1].end_ms + 3000

    def session_from(origin_ms: int) -> list[Told]:
        return misplaced(us_session(words, origin_ms, until_ms), origin_ms)

    raw, _ = check_continuity(continued(Seam(is_formatting=True), session_from, cuts))

    assert errors([word.text for word in words], [word.text for word in raw]) <= len(cuts)


def errors(expected: list[str], got: list[str]) -> int:
    """Words that are wrong, lost or doubled."""
    row = list(range(len(got) + 1))
    for index, word in enumerate(expected):
        diagonal, row[0] = row[0], index + 1
        for other, heard in enumerate(got):
            diagonal, row[other + 1] = (
                row[other + 1],
                min(diagonal + (word != heard), row[other] + 1, row[other + 1] + 1),
            )
    return row[-1]


ANY_WORDS = st.lists(
    st.builds(Word, st.integers(-5, 9000), st.integers(-5, 9000), st.just(0.5), st.sampled_from("ab-"), st.booleans()),
    max_size=4,
).map(tuple)
ANYTHING = st.one_of(
    st.builds(
        Turn,
        turn_order=st.integers(-1, 3),
        turn_is_formatted=st.booleans(),
        end_of_turn=st.booleans(),
        transcript=st.sampled_from(["", "a", "a b"]),
        end_of_turn_confidence=st.just(0.5),
        words=ANY_WORDS,
        utterance=st.sampled_from(["", "a"]),
    ),
    st.builds(SpeechStarted, st.integers(-5, 9000)),
    st.builds(Termination, st.integers(0, 9), st.integers(0, 9)),
    st.sampled_from(["cut", "abrupt"]),
)


@given(st.booleans(), st.lists(ANYTHING, max_size=12))
def test_whatever_a_service_says_the_seam_holds(is_formatting: bool, items: list[Told | str]) -> None:
    seam = Seam(is_formatting=is_formatting)
    for item in items:
        if isinstance(item, str):
            seam.cut(max(0, seam.replay_from_ms(0, is_abrupt=item == "abrupt")), session_s=1)
        else:
            for told in seam.receive(item):
                assert not isinstance(told, Turn) or all(isinstance(word, Word) for word in told.words)
