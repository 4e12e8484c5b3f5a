"""A new session that hears the audio from the settled position on loses no word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_turn_properties import PLACES, conversations, cut

from conversation import check_turns, listen
from tympan.core.config import ConfigUpdate, Finality, OutputConfig, SessionConfig, TurnConfig
from tympan.core.effects import Control, ForceEndpoint
from tympan.core.events import TurnEnded, TurnUpdated
from tympan.core.listening import Heard
from tympan.core.settled import PRE_ROLL_MS, SettledPosition
from tympan.core.units import StreamMs
from tympan.core.words import Hypothesis, Report, Word
from tympan.engines.scripted import Script, ScriptedStream, ScriptedWord
from tympan.engines.smart_turn import PRE_ROLL_MS as SMART_TURN_PRE_ROLL_MS
from tympan.runtime.listener import Listener


def heard(script: Script, config: SessionConfig, items: Iterable[bytes | Control]) -> list[Heard]:
    """All that a listener says of these items, piece by piece."""
    listener = Listener(ScriptedStream(script), config)
    said: list[Heard] = []
    for item in items:
        if isinstance(item, bytes):
            listener.feed(item)
        else:
            listener.mark(item)
        while (one := listener.advance()) is not None:
            said.append(one)
    return said


def settled(said: list[Heard]) -> dict[int, int]:
    """Settled position by position in the audio, both in ms; the last one said there."""
    return {one.judged_until_ms: one.settled_ms for one in said}


SENTENCE = Script(
    (
        ScriptedWord("one", 1000, 1200, shown_after_ms=100, final_after_ms=300),
        ScriptedWord("two", 1250, 1500, shown_after_ms=100, final_after_ms=300),
    ),
    frame_ms=10,
)


def says_sentence(config: SessionConfig | None = None, *controls: tuple[int, Control]) -> dict[int, int]:
    config = config or SessionConfig()
    audio = bytes(32 * 4000)
    return settled(heard(SENTENCE, config, cut(audio, [(ms * 32, control) for ms, control in controls], [])[:-1]))


def test_in_silence_all_but_a_pre_roll_is_settled() -> None:
    position = says_sentence()
    assert position[400] == 0
    assert position[900] == 900 - PRE_ROLL_MS


def test_from_the_onset_on_nothing_is_settled_until_a_word_is_final() -> None:
    position = says_sentence()
    assert {position[ms] for ms in range(1010, 1500, 10)} == {1000 - PRE_ROLL_MS}
    assert position[1500] == 1200
    assert position[1790] == 1200
    assert position[1800] == 1500


def test_after_a_turn_what_was_told_stays_settled() -> None:
    position = says_sentence()
    assert position[2000] == 1500
    assert position[3000] == 3000 - PRE_ROLL_MS


def test_words_that_are_told_only_at_the_end_of_their_turn_are_settled_only_then() -> None:
    config = SessionConfig(output=OutputConfig(include_partial_turns=False))
    position = says_sentence(config, (2000, ForceEndpoint()))
    assert position[1990] == 1000 - PRE_ROLL_MS
    assert position[2010] == 2010 - PRE_ROLL_MS


def test_a_word_that_a_forced_end_cuts_is_not_settled() -> None:
    script = Script((ScriptedWord("one", 1000, 1200), ScriptedWord("loooong", 1200, 3000)), frame_ms=10)
    items: list[bytes | Control] = [bytes(32 * 2500), ForceEndpoint(), bytes(32 * 600)]
    position = settled(heard(script, SessionConfig(), items))
    assert position[2490] == 1200
    assert position[3090] == 1200


def report(judged_ms: int, *, onset_ms: int | None = None, is_speech: bool = False) -> Report:
    onset = None if onset_ms is None else StreamMs(onset_ms)
    return Report(StreamMs(judged_ms), 0, onset, onset, is_speech, Hypothesis(), 0.0)


def test_a_noise_is_settled_when_it_is_forgotten() -> None:
    it = SettledPosition(SessionConfig())
    it.receive_report(report(3000, onset_ms=1000))
    assert it.settled_ms == 1000 - PRE_ROLL_MS
    it.receive_turn_end(())
    it.receive_report(report(3010))
    assert it.settled_ms == 3010 - PRE_ROLL_MS


def test_speech_that_a_turn_s_end_cut_is_settled_when_it_was_nothing() -> None:
    it = SettledPosition(SessionConfig())
    it.receive_report(report(3000, onset_ms=1000, is_speech=True))
    it.receive_turn_end((Word("one", StreamMs(1000), StreamMs(2000), 0.9),))
    it.receive_report(report(3100, onset_ms=3000, is_speech=True))
    assert it.settled_ms == 2000
    it.receive_report(report(3200))
    assert it.settled_ms == 3200 - PRE_ROLL_MS


def test_no_engine_wants_more_than_the_pre_roll() -> None:
    assert PRE_ROLL_MS >= SMART_TURN_PRE_ROLL_MS


def test_an_update_moves_what_is_settled_from_then_on() -> None:
    it = SettledPosition(SessionConfig())
    it.receive_report(report(3000))
    it.configure(SessionConfig(turn=TurnConfig(left_pad_ms=2000)))
    it.receive_report(report(4000))
    assert it.settled_ms == 3000 - PRE_ROLL_MS
    it.receive_report(report(5000))
    assert it.settled_ms == 5000 - 2000


def final_words(said: list[Heard], *, tells_partials: bool = True) -> list[Word]:
    """What a client has in final words: those of ended turns, and of the open one."""
    ended: list[Word] = []
    open_turn: tuple[Word, ...] = ()
    for event in (event for one in said for event in one.events):
        if isinstance(event, TurnEnded):
            ended += event.words
            open_turn = ()
        elif isinstance(event, TurnUpdated) and tells_partials:
            open_turn = event.words[: event.final_count]
    return [*ended, *open_turn]


def shifted(script: Script, by_ms: int) -> Script:
    """What is left to hear for who begins there; a word that has begun before is heard as another one."""
    words = []
    for word in script.words:
        start_ms, end_ms = word.start_ms - by_ms, word.end_ms - by_ms
        if start_ms >= 0:
            words.append(replace(word, start_ms=start_ms, end_ms=end_ms))
        elif end_ms > 0:
            words.append(replace(word, text=f"…{word.text}", start_ms=0, end_ms=end_ms))
    return replace(script, words=tuple(words))


def replayed(
    script: Script, config: SessionConfig, audio: bytes, marks: list[tuple[int, Control]], settled_ms: int
) -> list[Word]:
    """What a new session tells of everything from there on."""
    start = config.audio.byte_position(StreamMs(settled_ms))
    later = [(place - start, control) for place, control in marks if place >= start]
    events = listen(shifted(script, settled_ms), config, cut(audio[start:], later, []))
    return [
        replace(word, start_ms=StreamMs(word.start_ms + settled_ms), end_ms=StreamMs(word.end_ms + settled_ms))
        for word in check_turns(events)
    ]


Conversation = tuple[Script, SessionConfig, bytes, list[tuple[int, Control]]]

FORCED_IN_A_WORD: Conversation = (
    Script((ScriptedWord("w0", 0, 100), ScriptedWord("w1", 100, 1000)), 20),
    SessionConfig(),
    bytes(32 * 1500),
    [(32 * 800, ForceEndpoint())],
)


@settings(max_examples=80)
@given(conversations(), PLACES, st.floats(0, 1), st.booleans(), st.sampled_from(Finality))
@example(FORCED_IN_A_WORD, [], 0.9, True, Finality.WORDS)
def test_a_replay_from_the_settled_position_loses_no_word_and_doubles_only_what_can_be_told(
    conversation: Conversation, places: list[int], share: float, tells_partials: bool, finality: Finality
) -> None:
    script, config, audio, marks = conversation
    turn = replace(config.turn, finality=finality)
    config = replace(config, turn=turn, output=OutputConfig(include_partial_turns=tells_partials))
    said = heard(script, config, cut(audio, marks, places)[:-1])
    said = said[: round(share * len(said))]
    positions = [one.settled_ms for one in said]
    assert positions == sorted(positions), "the settled position never goes back"

    settled_ms = positions[-1] if positions else 0
    told = final_words(said, tells_partials=tells_partials)
    again = replayed(script, config, audio, marks, settled_ms)
    known = {word.start_ms for word in told}
    # Words before the position are told; a word that begins after it is whole in the replay.
    assert [word.text for word in [*told, *(word for word in again if word.start_ms not in known)] if word.text] == [
        word.text for word in script.words
    ]


def test_updates_of_the_configuration_do_not_move_it() -> None:
    update = ConfigUpdate(max_silence_ms=600)
    items: list[bytes | Control] = [bytes(32 * 900), update, bytes(32 * 40)]
    said = heard(SENTENCE, SessionConfig(), items)
    assert [one.settled_ms for one in said if one.judged_until_ms == 900] == [400, 400]
