"""What every engine is: a recognizer (a loaded model, shared) and its streams (one session's state).

A stream does nothing by itself. Audio is given with `accept`; `step` judges the next piece of it. Which
pieces there are depends on the position in the audio alone, never on how it was chunked or when it came:
the same audio gives the same reports. A stream belongs to one thread at a time; different streams of a
recognizer may run in different threads at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tympan.core.config import Finality, FormattedSource
from tympan.core.words import Report, TurnText
from tympan.script.programme import Player

Samples = NDArray[np.int16]
"""Mono samples at 16 kHz."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Declared, never probed."""

    languages: tuple[str, ...]
    has_formatting: bool
    """Words carry case and punctuation."""


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """What a stream must know before the first sample; `configure` changes it later, but for the finality."""

    vad_threshold: float = 0.4
    wants_partials: bool = True
    """False lets the engine skip work inside a turn; turns and final texts are as good or better."""
    finality: Finality = Finality.WORDS
    """`TURN`: no word is final before the turn ends, and the turn has one reading. Between looks and reads the
    engine may leave the hypothesis as it was."""
    left_pad_ms: int = 320
    """Audio that the recogniser hears with a turn up to the end of its first voiced frame."""
    formatted_source: FormattedSource = FormattedSource.FULL_DECODE


class Stream(Protocol):
    """The engine's state for one session's audio."""

    def accept(self, samples: Samples) -> None:
        """Take more audio; any number of samples, none included. Returns at once."""

    def step(self) -> Report | None:
        """Judge the next piece of the accepted audio; None when less than a piece is left.

        Raises:
            EngineError: the model failed; the stream can't go on.
        """

    def look(self) -> Report:
        """Decode all judged audio of the open turn now, and score whether the turn is over.

        Words may become final. Meant for moments of silence. Calling it twice changes nothing.
        """

    def hear_out(self) -> Report:
        """Say all of the open turn now, as cheaply as can be: it may be about to end.

        Like a look, but silence that was judged since everything spoken was decoded need not be decoded, so the
        score may be an earlier one. Calling it twice changes nothing.
        """

    def read(self) -> Report:
        """Decode all judged audio of the open turn now, while somebody goes on speaking.

        What seems half heard may be left out. Calling it twice changes nothing.
        """

    def end_turn(self) -> TurnText:
        """Make the open turn's words final and open the next turn at the audio judged so far.

        Without words the texts are empty: that is how a noise is discarded.
        """

    def finish(self) -> None:
        """No more audio comes: `step` judges what is left, however short. Idempotent."""

    def configure(self, options: StreamOptions) -> None:
        """Change options from the audio judged so far on."""

    def close(self) -> None:
        """Free everything. Idempotent; no other call may follow."""


class Recognizer(Protocol):
    """A loaded model."""

    name: str
    model: str
    capabilities: Capabilities

    def open_stream(self, options: StreamOptions) -> Stream:
        """Start a session's state. Cheap: no model is loaded here."""

    def close(self) -> None:
        """Free the model. All streams must be closed before."""


@runtime_checkable
class PlaysScript(Protocol):
    """A recognizer that plays a script: whoever serves it does the rest of what the script says."""

    player: Player


class RecognizerFactory(Protocol):
    """What the registry points at: `load(model, options)` of an engine module."""

    def __call__(self, model: str | None, options: Mapping[str, str]) -> Recognizer:
        """Load a model: by name or path; None means the engine's default.

        Raises:
            ModelError: files missing or unreadable; the message says which command mends it.
            SettingsError: an option that the engine doesn't have.
        """
