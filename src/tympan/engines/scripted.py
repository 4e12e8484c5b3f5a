"""An engine that plays a script instead of listening. First class: test doubles, tests and demos use it.

Whatever the audio holds, words are heard where their script says. Each stream plays the next session of the programme;
what else a script holds (messages, faults) is the server's affair, which asks the recognizer's player.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tympan.core.config import Finality
from tympan.core.errors import ScriptError
from tympan.core.units import ENGINE_SAMPLE_RATE_HZ, StreamMs, stream_ms
from tympan.core.words import Hypothesis, Report, TurnText, Word
from tympan.engines.base import Capabilities, Recognizer, Samples, StreamOptions
from tympan.engines.options import check_options
from tympan.script.format import parse_programme
from tympan.script.programme import Player, Programme, SessionScript
from tympan.script.timeline import Script, ScriptedWord

__all__ = ["Script", "ScriptedRecognizer", "ScriptedStream", "ScriptedWord", "load"]


class ScriptedStream:
    """Plays the script along the audio's clock."""

    def __init__(self, script: Script, finality: Finality = Finality.WORDS) -> None:
        self._script = script
        self._has_final_words = finality is Finality.WORDS
        self._accepted_samples = 0
        self._judged_ms = StreamMs(0)
        self._piece_start_ms = StreamMs(0)
        self._is_finished = False
        self._turn_start = 0  # index of the open turn's first word
        self._final_end = 0  # index after the last final word
        self._turn_start_ms = StreamMs(0)
        self._confidence = 0.0

    def accept(self, samples: Samples) -> None:
        self._accepted_samples += len(samples)

    def step(self) -> Report | None:
        accepted_ms = stream_ms(self._accepted_samples, ENGINE_SAMPLE_RATE_HZ)
        end_ms = StreamMs(self._judged_ms + self._script.frame_ms)
        if end_ms > accepted_ms:
            if not self._is_finished or accepted_ms <= self._judged_ms:
                return None
            end_ms = accepted_ms
        self._piece_start_ms, self._judged_ms = self._judged_ms, end_ms
        while self._final_end < len(self._script.words) and self._is_due(self._final_end):
            self._final_end += 1
        return self._report()

    def look(self) -> Report:
        self._final_end = max(self._final_end, self._heard_end())
        if self._final_end > self._turn_start:
            self._confidence = self._script.words[self._final_end - 1].end_of_turn_confidence
        return self._report()

    def hear_out(self) -> Report:
        return self.look()

    def read(self) -> Report:
        return self._report()

    def end_turn(self) -> TurnText:
        end = max(self._final_end, self._heard_end())
        words = self._script.words[self._turn_start : end]
        self._turn_start = self._final_end = end
        self._turn_start_ms = self._judged_ms
        self._confidence = 0.0
        return TurnText(self._spoken(words), tuple(word.spoken(formatted=True) for word in words))

    def finish(self) -> None:
        self._is_finished = True

    def configure(self, options: StreamOptions) -> None:
        """Of its options a script knows the finality alone, which doesn't change."""

    def close(self) -> None:
        """A script holds nothing."""

    def _is_due(self, index: int) -> bool:
        word = self._script.words[index]
        return word.end_ms + word.final_after_ms <= self._judged_ms

    def _heard_end(self) -> int:
        """Index after the last word that has been spoken to its end."""
        end = self._turn_start
        while end < len(self._script.words) and self._script.words[end].end_ms <= self._judged_ms:
            end += 1
        return end

    def _shown_end(self) -> int:
        end = self._final_end
        while end < len(self._script.words):
            word = self._script.words[end]
            if word.end_ms + word.shown_after_ms > self._judged_ms:
                break
            end += 1
        return end

    def _spoken(self, words: tuple[ScriptedWord, ...]) -> tuple[Word, ...]:
        return tuple(word.spoken(formatted=not self._has_final_words) for word in words)

    def _report(self) -> Report:
        started = []
        for index in range(self._turn_start, len(self._script.words)):
            word = self._script.words[index]
            if word.start_ms >= self._judged_ms:
                break
            if word.end_ms > self._turn_start_ms:
                started.append(word)
        speech_ms = sum(min(word.end_ms, self._judged_ms) - max(word.start_ms, self._turn_start_ms) for word in started)
        last_ms = min(started[-1].end_ms, self._judged_ms) if started else None
        words = self._script.words[self._turn_start : self._shown_end()]
        final_count = self._final_end - self._turn_start if self._has_final_words else 0
        return Report(
            judged_until_ms=self._judged_ms,
            speech_ms=speech_ms,
            speech_onset_ms=StreamMs(max(started[0].start_ms, self._turn_start_ms)) if started else None,
            last_speech_end_ms=None if last_ms is None else StreamMs(last_ms),
            is_speech=last_ms == self._judged_ms,
            hypothesis=Hypothesis(self._spoken(words), final_count),
            end_of_turn_confidence=self._confidence,
            speech_probability=1.0 if last_ms is not None and last_ms > self._piece_start_ms else 0.0,
        )


class ScriptedRecognizer:
    """A programme that streams play in turn; a lone timeline is played by each of them."""

    name = "scripted"
    capabilities = Capabilities(languages=("en",), has_formatting=True)

    def __init__(self, script: Script | Programme, model: str = "script") -> None:
        self.model = model
        programme = Programme((SessionScript(script),)) if isinstance(script, Script) else script
        self.player = Player(programme)

    def open_stream(self, options: StreamOptions) -> ScriptedStream:
        return ScriptedStream(self.player.begin_next().timeline, options.finality)

    def close(self) -> None:
        """A script holds nothing."""


def load(model: str | None, options: Mapping[str, str]) -> Recognizer:
    """Read a script file; without one the engine hears nothing.

    Raises:
        ScriptError: the file can't be read or is no script.
        SettingsError: an option; there is none.
    """
    check_options(ScriptedRecognizer.name, options)
    if model is None:
        return ScriptedRecognizer(Script())
    try:
        text = Path(model).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:  # no path, or no text
        raise ScriptError(f"cannot read the script {model}: {error}") from error
    return ScriptedRecognizer(parse_programme(text, model), Path(model).name)
