"""What holds for every conversation: random scripts, random chunks, random controls."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from conversation import check_turns, listen, silence
from tympan.core.audio import AudioFormat, Encoding
from tympan.core.config import ConfigUpdate, SessionConfig, TurnConfig
from tympan.core.effects import Control, Finish, ForceEndpoint
from tympan.core.events import TurnEnded
from tympan.engines.scripted import Script, ScriptedWord

SCORES = st.sampled_from([0.0, 0.4, 0.41, 0.9, 1.0])
SILENCES_MS = st.sampled_from([0, 1, 100, 300, 400, 800, 1280, 3000])
FORMATS = st.sampled_from(
    [AudioFormat(), AudioFormat(Encoding.PCM_MULAW, 8_000), AudioFormat(Encoding.PCM_S16LE, 44_100)]
)


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    words: list[ScriptedWord] = []
    end_ms = 0
    for index in range(draw(st.integers(0, 12))):
        start_ms = end_ms + draw(st.sampled_from([0, 0, 0, 50, 350, 450, 700, 1500]))
        end_ms = start_ms + draw(st.integers(0, 400))
        shown_after_ms = draw(st.integers(0, 400))
        final_after_ms = draw(st.integers(0, 900))
        words.append(ScriptedWord(f"w{index}", start_ms, end_ms, 0.9, shown_after_ms, final_after_ms, draw(SCORES)))
    return Script(tuple(words), frame_ms=draw(st.sampled_from([7, 20, 32, 250])))


def turn_configs() -> st.SearchStrategy[TurnConfig]:
    return st.builds(TurnConfig, SCORES, SILENCES_MS, SILENCES_MS)


def controls() -> st.SearchStrategy[Control]:
    updates = st.builds(
        ConfigUpdate,
        confidence_threshold=st.none() | SCORES,
        min_silence_ms=st.none() | SILENCES_MS,
        max_silence_ms=st.none() | SILENCES_MS,
    )
    return st.just(ForceEndpoint()) | updates


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Script, SessionConfig, bytes, list[tuple[int, Control]]]:
    """A script, audio that covers it, and controls at places in the audio."""
    script = draw(scripts())
    config = SessionConfig(audio=draw(FORMATS), turn=draw(turn_configs()))
    end_ms = script.words[-1].end_ms if script.words else 0
    audio = silence(end_ms + draw(st.integers(50, 3000)), config.audio)
    marks = draw(st.lists(st.tuples(st.integers(0, len(audio)), controls()), max_size=6))
    return script, config, audio, sorted(marks, key=lambda mark: mark[0])


def cut(audio: bytes, marks: list[tuple[int, Control]], places: list[int]) -> list[bytes | Control]:
    """The audio cut at the marks and at `places`, with the marks between, ended by `Finish`."""
    items: list[bytes | Control] = []
    start = 0
    stops: list[tuple[int, Control | None]] = [
        *marks,
        *((place % (len(audio) + 1), None) for place in places),
    ]
    for stop, control in sorted(stops, key=lambda item: item[0]):
        items.append(audio[start:stop])
        start = stop
        if control is not None:
            items.append(control)
    return [*items, audio[start:], Finish()]


PLACES = st.lists(st.integers(0, 10**7), max_size=40)


@settings(max_examples=60)
@given(conversations(), PLACES, st.booleans())
def test_the_same_audio_gives_the_same_events_however_it_is_chunked(
    conversation: tuple[Script, SessionConfig, bytes, list[tuple[int, Control]]],
    places: list[int],
    at_once: bool,
) -> None:
    script, config, audio, marks = conversation
    whole = listen(script, config, cut(audio, marks, []), at_once=True)
    assert listen(script, config, cut(audio, marks, places), at_once=at_once) == whole


@settings(max_examples=60)
@given(conversations(), PLACES)
def test_every_word_is_told_once_and_turns_are_well_formed(
    conversation: tuple[Script, SessionConfig, bytes, list[tuple[int, Control]]], places: list[int]
) -> None:
    script, config, audio, marks = conversation
    words = check_turns(listen(script, config, cut(audio, marks, places)))
    assert words == [word.spoken() for word in script.words]


@settings(max_examples=60)
@given(conversations())
def test_formatted_words_are_told_once_too(
    conversation: tuple[Script, SessionConfig, bytes, list[tuple[int, Control]]],
) -> None:
    script, config, audio, marks = conversation
    ended = [e for e in listen(script, config, cut(audio, marks, [])) if isinstance(e, TurnEnded)]
    assert [word for event in ended for word in event.formatted_words] == [
        word.spoken(formatted=True) for word in script.words
    ]


@settings(max_examples=60)
@given(conversations())
def test_what_is_said_later_changes_nothing_that_was_heard_before(
    conversation: tuple[Script, SessionConfig, bytes, list[tuple[int, Control]]],
) -> None:
    script, config, audio, marks = conversation
    whole = listen(script, config, cut(audio, marks, []))
    half = len(audio) // 2
    early = cut(audio[:half], [mark for mark in marks if mark[0] < half], [])[:-1]  # without the Finish
    told = listen(script, config, early)
    assert whole[: len(told)] == told
