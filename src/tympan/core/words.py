"""What an engine says about the open turn. PURE: standard library only."""

from __future__ import annotations

from dataclasses import dataclass

from tympan.core.units import StreamMs


@dataclass(frozen=True, slots=True)
class Word:
    """One word as the model writes it, with its case and the punctuation attached to it.

    `start_ms <= end_ms`, both since the first sample of the session. `confidence` is 0 to 1.
    """

    text: str
    start_ms: StreamMs
    end_ms: StreamMs
    confidence: float


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Current best words of the open turn; the leading `final_count` never change again."""

    words: tuple[Word, ...] = ()
    final_count: int = 0

    @property
    def final_words(self) -> tuple[Word, ...]:
        return self.words[: self.final_count]


@dataclass(frozen=True, slots=True)
class Report:
    """What a stream says after judging a piece of audio.

    Times count audio judged, not audio received: a slow engine must not turn unjudged speech into
    silence. `speech_ms` is the voiced audio since the turn opened; the onset and the last speech end
    are None while nothing was voiced in the turn. `end_of_turn_confidence` is the probability-like
    score (0 to 1) of the latest look, 0 before the first one. `speech_probability` (0 to 1) is the highest of a
    frame in the piece of audio that was judged last.
    """

    judged_until_ms: StreamMs
    speech_ms: int
    speech_onset_ms: StreamMs | None
    last_speech_end_ms: StreamMs | None
    is_speech: bool
    hypothesis: Hypothesis
    end_of_turn_confidence: float
    speech_probability: float = 1.0

    @property
    def silence_ms(self) -> int:
        """Trailing silence: audio judged since the last speech; 0 while somebody speaks."""
        if self.is_speech or self.last_speech_end_ms is None:
            return 0
        return self.judged_until_ms - self.last_speech_end_ms


@dataclass(frozen=True, slots=True)
class TurnText:
    """The words of a turn that has ended.

    `words` begin with every word that was final before; their text never changed. `formatted_words`
    come from one decode of the whole turn and may correct them; engines that have no second opinion
    give the same words twice, as all do under `Finality.TURN`.
    """

    words: tuple[Word, ...]
    formatted_words: tuple[Word, ...]
