"""The command `tympan` with an engine for speech tracks: it hears words where the audio says that they are.

A new process that is given audio from the middle of a conversation on understands it, as an engine with ears does; the
scripted engine, which hears by the clock, would begin at its first word. `python positioned_tympan.py serve --engine
positioned --model 12` hears somebody who counts for twelve turns.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from speech_track import SpeechTrack, position_of

from tympan.core.words import Report, TurnText
from tympan.engines import registry
from tympan.engines.base import Capabilities, Recognizer, Samples, StreamOptions
from tympan.engines.scripted import Script, ScriptedStream, ScriptedWord

_SAMPLES_PER_MS = 16


def script_of(track: SpeechTrack, from_ms: int = 0) -> Script:
    """The track for the scripted engine. A word that began before `from_ms` is heard if more than half of it comes."""
    words = []
    for turn in track.turns:
        for word in turn.words:
            score = turn.end_of_turn_confidence if word is turn.words[-1] else 0.0
            if word.start_ms + word.end_ms >= 2 * from_ms:
                start_ms, end_ms = max(0, word.start_ms - from_ms), word.end_ms - from_ms
                words.append(
                    ScriptedWord(word.raw, start_ms, end_ms, formatted=word.text, end_of_turn_confidence=score)
                )
    return Script(tuple(words))


class PositionedStream:
    """A scripted stream, its script chosen by where the first audio stands."""

    def __init__(self, track: SpeechTrack, options: StreamOptions) -> None:
        self._track, self._options = track, options
        self._is_placed = False
        self._playing = ScriptedStream(Script(), options.finality)

    def accept(self, samples: Samples) -> None:
        if not self._is_placed and len(samples):
            position = position_of(samples.tobytes())
            assert position is not None, "the first audio doesn't say where it stands"
            script = script_of(self._track, position // _SAMPLES_PER_MS)
            self._playing, self._is_placed = ScriptedStream(script, self._options.finality), True
        self._playing.accept(samples)

    def step(self) -> Report | None:
        return self._playing.step()

    def look(self) -> Report:
        return self._playing.look()

    def hear_out(self) -> Report:
        return self.look()

    def read(self) -> Report:
        return self._playing.read()

    def end_turn(self) -> TurnText:
        return self._playing.end_turn()

    def finish(self) -> None:
        self._playing.finish()

    def configure(self, options: StreamOptions) -> None:
        self._options = replace(options, finality=self._options.finality)

    def close(self) -> None:
        self._playing.close()


class PositionedRecognizer:
    """Hears one track."""

    name = "positioned"
    capabilities = Capabilities(languages=("en",), has_formatting=True)

    def __init__(self, model: str) -> None:
        self.model = model
        self._track = SpeechTrack.counting(int(model))

    def open_stream(self, options: StreamOptions) -> PositionedStream:
        return PositionedStream(self._track, options)

    def close(self) -> None:
        """It holds nothing."""


def load(model: str | None, options: Mapping[str, str]) -> Recognizer:
    """What the registry calls."""
    assert model is not None
    return PositionedRecognizer(model)


if __name__ == "__main__":
    from tympan.cli.main import main

    cast(dict[str, str], registry.ENGINES)["positioned"] = "positioned_tympan:load"
    sys.exit(main())
