"""What holds for every conversation under `Finality.TURN`: random scripts, chunks, numbers and controls."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from test_turn_properties import PLACES, SCORES, SILENCES_MS, cut, scripts

from conversation import check_turns, listen, silence
from tympan.core.audio import AudioFormat
from tympan.core.cadence import CONFIRMING_SPEECH_MS
from tympan.core.config import ConfigUpdate, Finality, OutputConfig, SessionConfig, TurnConfig
from tympan.core.effects import Control, ForceEndpoint
from tympan.core.events import SilencePassed, SpeechStarted, TurnEnded, TurnEvent, TurnUpdated
from tympan.engines.scripted import Script

DELAYS_MS = st.sampled_from([0, 200, 500, 1000])
Conversation = tuple[Script, SessionConfig, bytes, list[tuple[int, Control]]]


def turn_configs() -> st.SearchStrategy[TurnConfig]:
    return st.builds(
        TurnConfig,
        SCORES,
        SILENCES_MS,
        SILENCES_MS,
        finality=st.just(Finality.TURN),
        partial_delay_ms=DELAYS_MS,
        has_continuous_partials=st.booleans(),
    )


def controls() -> st.SearchStrategy[Control]:
    updates = st.builds(
        ConfigUpdate,
        confidence_threshold=st.none() | SCORES,
        min_silence_ms=st.none() | SILENCES_MS,
        max_silence_ms=st.none() | SILENCES_MS,
        partial_delay_ms=st.none() | DELAYS_MS,
        has_continuous_partials=st.none() | st.booleans(),
        has_silence=st.none() | st.booleans(),
    )
    return st.just(ForceEndpoint()) | updates


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    script = draw(scripts())
    config = SessionConfig(turn=draw(turn_configs()), output=OutputConfig(has_silence=draw(st.booleans())))
    end_ms = script.words[-1].end_ms if script.words else 0
    audio = silence(end_ms + draw(st.integers(50, 5000)), AudioFormat())
    marks = draw(st.lists(st.tuples(st.integers(0, len(audio)), controls()), max_size=6))
    return script, config, audio, sorted(marks, key=lambda mark: mark[0])


def heard(conversation: Conversation, places: list[int] | None = None, *, at_once: bool = True) -> list[TurnEvent]:
    script, config, audio, marks = conversation
    return listen(script, config, cut(audio, marks, places or []), at_once=at_once)


@settings(max_examples=60)
@given(conversations(), PLACES, st.booleans())
def test_the_same_audio_gives_the_same_events_however_it_is_chunked(
    conversation: Conversation, places: list[int], at_once: bool
) -> None:
    assert heard(conversation, places, at_once=at_once) == heard(conversation)


@settings(max_examples=60)
@given(conversations())
def test_every_word_is_told_once_in_turns_that_start_and_end_once(conversation: Conversation) -> None:
    words = check_turns(heard(conversation))
    assert words == [word.spoken(formatted=True) for word in conversation[0].words]


@settings(max_examples=60)
@given(conversations())
def test_partials_are_whole_turns_without_final_words_and_the_end_has_all(conversation: Conversation) -> None:
    for event in heard(conversation):
        if isinstance(event, TurnUpdated):
            assert event.final_count == 0
            assert event.utterance_words == ()
        if isinstance(event, TurnEnded):
            assert event.words == event.formatted_words == event.utterance_words


@settings(max_examples=60)
@given(conversations())
def test_speech_starts_directly_before_the_first_message_of_its_turn(conversation: Conversation) -> None:
    events = [event for event in heard(conversation) if isinstance(event, SpeechStarted | TurnUpdated | TurnEnded)]
    for before, event in pairwise([None, *events]):
        is_first = before is None or isinstance(before, TurnEnded)
        assert isinstance(event, SpeechStarted) == is_first
    starts_ms = [event.onset_ms for event in events if isinstance(event, SpeechStarted)]
    assert starts_ms == sorted(starts_ms)


@settings(max_examples=60)
@given(scripts(), SCORES, st.sampled_from([300, 500]))
def test_with_both_silences_the_same_no_pause_is_told_as_a_partial(script: Script, score: float, ms: int) -> None:
    config = TurnConfig(score, ms, ms, finality=Finality.TURN, partial_delay_ms=1000, has_continuous_partials=False)
    events = heard((script, SessionConfig(turn=config), silence(9000), []))
    spoken_ms = sum(word.end_ms - word.start_ms for word in script.words)
    if spoken_ms < 1000 + CONFIRMING_SPEECH_MS:
        assert not any(isinstance(event, TurnUpdated) for event in events)
    check_turns(events)


@settings(max_examples=60)
@given(conversations())
def test_silence_is_told_only_where_nobody_speaks(conversation: Conversation) -> None:
    for event in heard(conversation):
        if isinstance(event, SilencePassed):
            words = conversation[0].words
            assert all(word.end_ms <= event.start_ms or word.start_ms >= event.end_ms for word in words)


@settings(max_examples=60)
@given(conversations())
def test_what_is_said_later_changes_nothing_that_was_heard_before(conversation: Conversation) -> None:
    script, config, audio, marks = conversation
    half = len(audio) // 2
    early = cut(audio[:half], [mark for mark in marks if mark[0] < half], [])[:-1]  # without the Finish
    told = listen(script, config, early)
    assert heard(conversation)[: len(told)] == told
