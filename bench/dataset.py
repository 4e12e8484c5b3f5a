"""The recorded speech: utterances, conversations, noise, and audio composed of them.

With the data set, its manifests say what there is; without it, the one recording that the model's wheel
carries. All audio is mono int16 at 16 kHz, and lasts a whole number of milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from bench.metrics import ReferenceWord
from bench.turn_metrics import Pause, ReferenceTurn
from tympan.client.known_recording import known_recording

RATE_HZ = 16_000
SAMPLES_PER_MS = RATE_HZ // 1000
ROOM_TONE_DBFS = -60.0

Samples = NDArray[np.int16]

_TWO_CITIES = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of "
    "foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, "
    "it was the season of Darkness, it was the spring of hope, it was the winter of despair, we had "
    "everything before us, we had nothing before us, we were all going direct to Heaven, we were all going "
    "direct the other way, in short, the period was so far like the present period, that some of its "
    "noisiest authorities insisted on its being received, for good or for evil, in the superlative degree "
    "of comparison only."
)


@dataclass(frozen=True, slots=True)
class Utterance:
    """One recording with its transcript; `words` is empty where no alignment can be trusted."""

    id: str
    path: Path
    text: str
    style: str
    duration_ms: int
    words: tuple[ReferenceWord, ...]
    speech_end_ms: int

    @property
    def is_digits(self) -> bool:
        return self.style == "digits"

    def samples(self) -> Samples:
        return read_audio(self.path)


@dataclass(frozen=True, slots=True)
class Recording:
    """A conversation with its true turns."""

    id: str
    path: Path
    duration_ms: int
    turns: tuple[ReferenceTurn, ...]

    def samples(self) -> Samples:
        return read_audio(self.path)


@dataclass(frozen=True, slots=True)
class Dataset:
    """All there is to measure on."""

    name: str
    utterances: tuple[Utterance, ...]
    recordings: tuple[Recording, ...] = ()
    noises: tuple[Path, ...] = ()

    @property
    def aligned(self) -> tuple[Utterance, ...]:
        """Utterances whose words have true times."""
        return tuple(utterance for utterance in self.utterances if utterance.words)


@dataclass(frozen=True, slots=True)
class Composite:
    """Utterances joined into one stream; the reference is moved to where they lie in it."""

    samples: Samples
    turns: tuple[ReferenceTurn, ...]

    @property
    def words(self) -> list[ReferenceWord]:
        return [word for turn in self.turns for word in turn.words]

    @property
    def text(self) -> str:
        return " ".join(turn.text for turn in self.turns)

    @property
    def duration_s(self) -> float:
        return len(self.samples) / RATE_HZ


def load(directory: Path) -> Dataset:
    """The data set under a directory that holds `speech/` and `noise/`.

    Raises:
        FileNotFoundError: it isn't there.
    """
    speech, noise = directory / "speech", directory / "noise"
    utterances = tuple(_utterance(row, speech) for row in _rows(speech / "manifest.jsonl"))
    recordings = tuple(_recording(path) for path in sorted((speech / "sessions").glob("*.json")))
    noises = tuple(noise / row["audio"] for row in _rows(noise / "manifest.jsonl"))
    return Dataset("data", utterances, recordings, noises)


def wheel_sample() -> Dataset:
    """The recording in the model's wheel; the wheel itself is not imported.

    Raises:
        FileNotFoundError: the wheel isn't installed.
    """
    path = known_recording()
    if path is None:
        raise FileNotFoundError("the model wheel moonshine-voice isn't installed: run `make bench`")
    duration_ms = int(soundfile.info(path).duration * 1000)
    return Dataset(
        path.name,
        (Utterance("two_cities", path, _TWO_CITIES, "read", duration_ms, (), duration_ms),),
    )


def read_audio(path: Path) -> Samples:
    """A file as mono int16 at 16 kHz."""
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    mono = samples.mean(axis=1)
    if rate_hz != RATE_HZ:
        mono = soxr.resample(mono, rate_hz, RATE_HZ)
    return whole_ms(to_int16(mono))


def to_int16(samples: NDArray[Any]) -> Samples:
    """Amplitudes of ±1 as int16, clipped."""
    return np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)


def whole_ms(samples: Samples) -> Samples:
    """Filled with zeros to a whole millisecond."""
    return np.pad(samples, (0, -len(samples) % SAMPLES_PER_MS))


def room_tone(duration_ms: int, *, level_dbfs: float = ROOM_TONE_DBFS, seed: int = 0) -> Samples:
    """White noise at a stated level; the same seed gives the same noise."""
    noise = np.random.default_rng(seed).standard_normal(duration_ms * SAMPLES_PER_MS)
    return to_int16(noise * 10 ** (level_dbfs / 20))


def spread(utterances: Sequence[Utterance], total_ms: int) -> list[Utterance]:
    """Utterances evenly spread over the whole list that last about that long together."""
    everything_ms = sum(utterance.duration_ms for utterance in utterances)
    if everything_ms <= total_ms:
        return list(utterances)
    wanted = max(1, round(len(utterances) * total_ms / everything_ms))
    return [utterances[i * len(utterances) // wanted] for i in range(wanted)]


def composite(utterances: Iterable[Utterance], *, gap_ms: int, lead_ms: int = 500) -> Composite:
    """Join utterances with room tone between and after them; each becomes a turn."""
    pieces = [room_tone(lead_ms)]
    turns: list[ReferenceTurn] = []
    at_ms = lead_ms
    for index, utterance in enumerate(utterances):
        samples = utterance.samples()
        words = tuple(
            replace(word, start_ms=word.start_ms + at_ms, end_ms=word.end_ms + at_ms) for word in utterance.words
        )
        end_ms = words[-1].end_ms if words else at_ms + utterance.speech_end_ms
        turns.append(ReferenceTurn(words[0].start_ms if words else at_ms, end_ms, utterance.text, words))
        pieces += [samples, room_tone(gap_ms, seed=index + 1)]
        at_ms += len(samples) // SAMPLES_PER_MS + gap_ms
    return Composite(np.concatenate(pieces), tuple(turns))


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _words(rows: Iterable[dict[str, Any]]) -> tuple[ReferenceWord, ...]:
    return tuple(ReferenceWord(row["w"], row["start_ms"], row["end_ms"]) for row in rows)


def _utterance(row: dict[str, Any], directory: Path) -> Utterance:
    words = _words(row["words"]) if row.get("align") == "ok" else ()
    return Utterance(
        row["id"],
        directory / row["audio"],
        row["text"],
        row["style"],
        round(row["duration_s"] * 1000),
        words,
        row["speech_end_ms"],
    )


def _recording(path: Path) -> Recording:
    described = json.loads(path.read_text(encoding="utf-8"))
    turns = tuple(
        ReferenceTurn(
            turn["start_ms"],
            turn["end_ms"],
            turn["text"],
            _words(turn["words"]),
            turn["ends_sentence"],
            tuple(
                Pause(pause["start_ms"], pause["end_ms"], pause["kind"] == "inserted-hesitation")
                for pause in turn["pauses"]
            ),
        )
        for turn in described["turns"]
    )
    return Recording(described["id"], path.with_suffix(".flac"), round(described["duration_s"] * 1000), turns)
