"""SettledPosition: before which point all that was spoken has been told in final words. PURE: standard library only.

Who keeps audio for the case that a session is lost may forget what lies before it: a new session that hears the
audio from there on loses no word, and hears it with all the pre-roll that an engine wants. Rules:
- In an open turn: the end of its last final word that was told; where there is none, a pre-roll before the onset or
  the first word.
- Between turns: a pre-roll before the end of what has been judged, but not before the last word.
- Speech that was cut by the end of a turn begins where the last word of that turn ended.
- It never goes back.
"""

from __future__ import annotations

from tympan.core.config import Finality, SessionConfig
from tympan.core.units import StreamMs
from tympan.core.words import Report, Word

PRE_ROLL_MS = 500
"""The most that any part of an engine hears before an onset (the second model for the end of turns), unless the
session wants more for the recogniser: `left_pad_ms`."""


class SettledPosition:
    """Follows one stream."""

    def __init__(self, config: SessionConfig) -> None:
        self.configure(config)
        self._settled_ms = StreamMs(0)
        self._is_speech = False
        self._is_cut = False  # the open turn began in the middle of speech

    @property
    def settled_ms(self) -> StreamMs:
        return self._settled_ms

    def configure(self, config: SessionConfig) -> None:
        """Change the configuration from the audio judged so far on."""
        is_word_by_word = config.turn.finality is Finality.WORDS
        self._tells_open_turns = is_word_by_word and config.output.include_partial_turns
        self._pre_roll_ms = max(PRE_ROLL_MS, config.turn.left_pad_ms)

    def receive_report(self, report: Report) -> None:
        """The stream judged a piece of audio; what the report says is told."""
        self._is_speech = report.is_speech
        final_words = report.hypothesis.final_words
        if final_words and self._tells_open_turns:
            self._advance(final_words[-1].end_ms)
            return
        starts = [word.start_ms for word in report.hypothesis.words[:1]]
        if report.speech_onset_ms is not None:
            starts.append(report.speech_onset_ms)
        if not starts:
            self._is_cut = False
        if not self._is_cut:
            self._advance(min(starts, default=report.judged_until_ms) - self._pre_roll_ms)

    def receive_turn_end(self, words: tuple[Word, ...]) -> None:
        """The turn ended with these words, all told; none means that it was a noise."""
        if words:
            self._advance(words[-1].end_ms)
            self._is_cut = self._is_speech

    def _advance(self, position_ms: int) -> None:
        self._settled_ms = StreamMs(max(self._settled_ms, position_ms))
