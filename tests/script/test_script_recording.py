"""What was recorded is a script, and the script says what was recorded."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tympan.script.cues import AfterAudio, Cue, Say
from tympan.script.format import parse_programme
from tympan.script.recording import RecordedMessage, recorded_script
from tympan.wire.v3.messages import SERVER_CODEC, ServerWarning, SpeechStarted, Turn, Word

TEXTS = st.text() | st.sampled_from(['it\'s "so" \\ odd', "\x7f\x00\n\r", "𝄞"])
SHARES = st.floats(0, 1)
TIMES = st.integers(0, 86_400_000)
WORDS = st.builds(Word, start=TIMES, end=TIMES, confidence=SHARES, text=TEXTS, word_is_final=st.booleans())
TURNS = st.builds(
    Turn,
    turn_order=st.integers(0, 9),
    turn_is_formatted=st.booleans(),
    end_of_turn=st.booleans(),
    transcript=TEXTS,
    end_of_turn_confidence=SHARES,
    words=st.lists(WORDS, max_size=3).map(tuple),
    language_code=st.none() | TEXTS,
)
MESSAGES = st.one_of(
    TURNS,
    st.builds(SpeechStarted, timestamp=TIMES, confidence=SHARES),
    st.builds(ServerWarning, warning_code=st.integers(0, 9), warning=TEXTS),
)


@settings(max_examples=50)
@given(st.lists(st.builds(RecordedMessage, at_ms=TIMES, message=MESSAGES), max_size=3), TEXTS)
def test_a_recording_is_a_script_that_says_the_same_messages(recorded: list[RecordedMessage], remark: str) -> None:
    script = parse_programme(recorded_script(recorded, [f"From {remark}"]), "recording")
    assert script.session(0).cues == tuple(
        Cue(AfterAudio(one.at_ms, or_at_end=True), Say(SERVER_CODEC.encode(one.message))) for one in recorded
    )


def test_half_a_surrogate_pair_becomes_something_that_a_file_can_hold() -> None:
    script = recorded_script([RecordedMessage(1, ServerWarning(1, "\ud800"))], [])
    assert 'warning = "?"' in script
