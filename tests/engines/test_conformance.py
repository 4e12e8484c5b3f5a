"""What every registered engine promises (engines/base.py). A new engine is tested by being registered.

An engine whose packages or model are absent is skipped, with its reason. Engines hear real speech where the
model wheel is installed, else bursts of noise; what they make of it is their own affair.
"""

from __future__ import annotations

import gc
import json
import sys
import wave
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tympan.core.audio import AudioFormat
from tympan.core.config import Finality
from tympan.core.errors import ModelError
from tympan.core.units import ENGINE_SAMPLE_RATE_HZ, stream_ms
from tympan.core.words import Hypothesis, Report, TurnText, Word
from tympan.dsp.decode import PcmDecoder
from tympan.engines.base import Recognizer, Samples, StreamOptions
from tympan.engines.registry import ENGINES, load

SECOND = ENGINE_SAMPLE_RATE_HZ
LOOK_AFTER_MS = 480
END_AFTER_MS = 800
READ_EVERY_MS = 700
OTHER_CHUNKS = [1, 50 * 16, 777, 3 * SECOND]


# What the engines hear


def quiet(seconds: float, level: int) -> Samples:
    """Uniform noise; a level of 30 is about -63 dB below full scale."""
    rng = np.random.default_rng(7)
    return rng.integers(-level, level + 1, int(seconds * SECOND)).astype(np.int16)


@cache
def speech(name: str, seconds: int) -> Samples:
    """The beginning of one of the wheel's recordings, then a second of silence."""
    spec = find_spec("moonshine_voice")
    if spec is None or spec.origin is None:
        return bursts(seconds)
    with wave.open(str(Path(spec.origin).parent / "assets" / f"{name}.wav")) as reader:
        rate_hz = reader.getframerate()
        decoder = PcmDecoder(AudioFormat(sample_rate_hz=rate_hz))
        samples = np.concatenate([decoder.decode(reader.readframes(rate_hz * seconds)), decoder.flush()])
    return np.concatenate([samples, np.zeros(SECOND, dtype=np.int16)])


def bursts(seconds: int) -> Samples:
    envelope = np.repeat(np.tile([1, 1, 0, 1], seconds)[:seconds], SECOND)
    return np.concatenate([quiet(seconds, 8000) * envelope, np.zeros(SECOND, dtype=np.int64)]).astype(np.int16)


def clip_a() -> Samples:
    return speech("beckett", 9)


def clip_b() -> Samples:
    return speech("two_cities", 8)


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten minutes of words for the engine that doesn't listen: three, then a pause, again and again."""
    words = [
        {"text": f"word{index}", "start_ms": start_ms, "end_ms": start_ms + 300, "end_of_turn_confidence": 0.7}
        for index in range(600)
        for start_ms in [(index // 3) * 3000 + (index % 3) * 300]
    ]
    path = tmp_path_factory.mktemp("script") / "script.json"
    path.write_text(json.dumps({"words": words}), encoding="utf-8")
    return path


def loaded(name: str, model: str | None) -> Recognizer:
    try:
        return load(name, model)
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module", params=sorted(ENGINES))
def recognizer(request: pytest.FixtureRequest, script: Path) -> Recognizer:
    """Each engine with its default model; the scripted one with something to say."""
    return loaded(request.param, str(script) if request.param == "scripted" else None)


@pytest.fixture(scope="module", params=Finality)
def options(request: pytest.FixtureRequest) -> StreamOptions:
    """What a session of each profile asks of an engine."""
    return StreamOptions(finality=request.param)


@pytest.fixture(scope="module", params=sorted(ENGINES))
def listener(request: pytest.FixtureRequest) -> Recognizer:
    """Each engine as it is when nobody has told it what it will hear."""
    return loaded(request.param, None)


# How they are driven


@dataclass
class Run:
    """All that a stream said of some audio: reports at their places, texts of the turns that ended."""

    said: list[Report | TurnText] = field(default_factory=list)

    @property
    def reports(self) -> list[Report]:
        return [item for item in self.said if isinstance(item, Report)]

    @property
    def texts(self) -> list[TurnText]:
        return [item for item in self.said if isinstance(item, TurnText)]


class Driver:
    """Steps a stream as a listener does: looks at a pause, ends a turn at a longer one, and reads while somebody
    speaks where no word is final."""

    def __init__(self, recognizer: Recognizer, options: StreamOptions) -> None:
        self.stream = recognizer.open_stream(options)
        self.run = Run()
        self._has_looked = False
        self._reads = options.finality is Finality.TURN
        self._read_ms = 0

    def hear(self, samples: Samples) -> None:
        self.stream.accept(samples)
        self._catch_up()

    def finish(self) -> Run:
        self.stream.finish()
        self._catch_up()
        self.run.said.append(self.stream.end_turn())
        return self.run

    def _catch_up(self) -> None:
        while (report := self.stream.step()) is not None:
            self.run.said.append(report)
            if self._reads and report.is_speech and report.judged_until_ms - self._read_ms >= READ_EVERY_MS:
                self._read_ms = report.judged_until_ms
                self.run.said.append(self.stream.read())
            if report.silence_ms < LOOK_AFTER_MS:
                self._has_looked = False
            elif not self._has_looked:
                self._has_looked = True
                self.run.said.append(self.stream.look())
            if report.silence_ms >= END_AFTER_MS:
                self.run.said.append(self.stream.end_turn())


def chunks_of(samples: Samples, size: int) -> list[Samples]:
    return [samples[start : start + size] for start in range(0, len(samples), size)]


def run_of(recognizer: Recognizer, options: StreamOptions, chunks: Sequence[Samples]) -> Run:
    driver = Driver(recognizer, options)
    for chunk in chunks:
        driver.hear(chunk)
    run = driver.finish()
    driver.stream.close()
    return run


@pytest.fixture(scope="module")
def solo(recognizer: Recognizer, options: StreamOptions) -> Callable[[str], Run]:
    """What an engine says of a clip heard alone, all at once; computed once."""
    clips = {"a": clip_a, "b": clip_b}
    return cache(lambda clip: run_of(recognizer, options, [clips[clip]()]))


# What they promise


@pytest.mark.parametrize("size", OTHER_CHUNKS)
def test_the_same_audio_gives_the_same_reports_however_it_is_chunked(
    recognizer: Recognizer, options: StreamOptions, solo: Callable[[str], Run], size: int
) -> None:
    small = 2000 if size == 1 else len(clip_a())  # sample by sample only for as long as it takes
    chunks = [*chunks_of(clip_a()[:small], size), clip_a()[small:]]
    assert run_of(recognizer, options, chunks) == solo("a")


def test_empty_chunks_change_nothing(
    recognizer: Recognizer, options: StreamOptions, solo: Callable[[str], Run]
) -> None:
    nothing = np.zeros(0, dtype=np.int16)
    chunks = [item for chunk in chunks_of(clip_b(), SECOND) for item in (nothing, chunk)]
    assert run_of(recognizer, options, chunks) == solo("b")


def test_interleaved_streams_never_mix(
    recognizer: Recognizer, options: StreamOptions, solo: Callable[[str], Run]
) -> None:
    a, b = (Driver(recognizer, options) for _ in range(2))
    for chunk_a, chunk_b in zip(np.array_split(clip_a(), 40), np.array_split(clip_b(), 40), strict=True):
        a.hear(chunk_a)
        b.hear(chunk_b)
    assert a.finish() == solo("a")
    assert b.finish() == solo("b")


def test_streams_in_threads_never_mix(
    recognizer: Recognizer, options: StreamOptions, solo: Callable[[str], Run]
) -> None:
    with ThreadPoolExecutor(2) as pool:
        a, b = pool.map(lambda clip: run_of(recognizer, options, chunks_of(clip, 1600)), [clip_a(), clip_b()])
    assert a == solo("a")
    assert b == solo("b")


@pytest.mark.parametrize("clip", ["a", "b"])
def test_reports_keep_the_audio_s_time(solo: Callable[[str], Run], clip: str) -> None:
    steps = [report.judged_until_ms for report in solo(clip).reports]
    assert steps == sorted(steps)
    for report in solo(clip).reports:
        onset_ms, end_ms = report.speech_onset_ms, report.last_speech_end_ms
        assert (onset_ms is None) == (end_ms is None)
        if onset_ms is not None and end_ms is not None:
            assert 0 <= onset_ms <= end_ms <= report.judged_until_ms
        assert 0 <= report.end_of_turn_confidence <= 1
        assert report.speech_ms >= 0


@pytest.mark.parametrize("clip", ["a", "b"])
def test_words_are_in_order_and_each_starts_before_it_ends(solo: Callable[[str], Run], clip: str) -> None:
    for report in solo(clip).reports:
        check_words(report.hypothesis.words, report.judged_until_ms)
    told: list[Word] = []
    for text in solo(clip).texts:
        told += text.words
        check_words(text.formatted_words, solo(clip).reports[-1].judged_until_ms)
    check_words(told, solo(clip).reports[-1].judged_until_ms)
    assert told, "the clip is said to hold speech"


def check_words(words: Sequence[Word], until_ms: int) -> None:
    for word in words:
        assert word.text
        assert word.text == word.text.strip()
        assert 0 <= word.start_ms <= word.end_ms <= until_ms
        assert 0 <= word.confidence <= 1
    for before, after in pairwise(words):
        assert before.start_ms <= after.start_ms
        assert before.end_ms <= after.end_ms


@pytest.mark.parametrize("clip", ["a", "b"])
def test_final_words_never_change_and_begin_the_turn_s_text(solo: Callable[[str], Run], clip: str) -> None:
    final: tuple[Word, ...] = ()
    for item in solo(clip).said:
        if isinstance(item, TurnText):
            assert [word.text for word in item.words[: len(final)]] == [word.text for word in final]
            final = ()
        else:
            hypothesis = item.hypothesis
            assert 0 <= hypothesis.final_count <= len(hypothesis.words)
            assert hypothesis.final_words[: len(final)] == final
            final = hypothesis.final_words


def test_where_no_word_is_final_before_its_turn_ends_there_is_one_reading(recognizer: Recognizer) -> None:
    run = run_of(recognizer, StreamOptions(finality=Finality.TURN), [clip_a()])
    assert all(report.hypothesis.final_count == 0 for report in run.reports)
    assert all(text.words == text.formatted_words for text in run.texts)
    assert any(report.hypothesis.words for report in run.reports), "a read or a look shows words"


def test_reading_twice_changes_nothing(recognizer: Recognizer, options: StreamOptions) -> None:
    stream = recognizer.open_stream(options)
    stream.accept(clip_a()[: int(2.6 * SECOND)])
    while stream.step() is not None:
        pass
    first = stream.read()
    assert stream.read() == first
    assert first.hypothesis.words


def test_hearing_a_turn_out_twice_changes_nothing_and_all_that_it_says_is_in_the_turn(
    recognizer: Recognizer, options: StreamOptions
) -> None:
    stream = recognizer.open_stream(options)
    stream.accept(clip_a()[: int(2.6 * SECOND)])
    while stream.step() is not None:
        pass
    first = stream.hear_out()
    assert stream.hear_out() == first
    assert first.hypothesis.words
    said = [word.text.lower().strip(".,?!") for word in first.hypothesis.words]
    assert [word.text.lower().strip(".,?!") for word in stream.end_turn().words] == said


def test_speech_is_heard_where_it_is_probable(solo: Callable[[str], Run]) -> None:
    reports = solo("a").reports
    assert all(0 <= report.speech_probability <= 1 for report in reports)
    speaking = max(report.speech_probability for report in reports if report.is_speech)
    silent = min(report.speech_probability for report in reports if not report.is_speech)
    assert silent < 0.3 < 0.9 < speaking


def test_finish_judges_the_rest_and_once(recognizer: Recognizer, options: StreamOptions) -> None:
    stream = recognizer.open_stream(options)
    stream.accept(clip_a()[: SECOND + 123])
    reports = list(iter(stream.step, None))
    stream.finish()
    stream.finish()
    reports += iter(stream.step, None)
    assert reports[-1].judged_until_ms == stream_ms(SECOND + 123, ENGINE_SAMPLE_RATE_HZ)
    assert stream.step() is None
    stream.finish()
    assert stream.step() is None


def test_a_stream_that_has_heard_nothing_says_nothing(recognizer: Recognizer, options: StreamOptions) -> None:
    stream = recognizer.open_stream(options)
    assert stream.step() is None
    assert stream.read().hypothesis == Hypothesis()
    assert stream.look().hypothesis == Hypothesis()
    assert stream.hear_out().hypothesis == Hypothesis()
    assert stream.end_turn() == TurnText((), ())
    stream.finish()
    assert stream.step() is None
    stream.close()


@pytest.mark.parametrize("seconds", [2.5, 10])
def test_looking_twice_changes_nothing(recognizer: Recognizer, options: StreamOptions, seconds: float) -> None:
    stream = recognizer.open_stream(options)
    stream.accept(clip_a()[: int(seconds * SECOND)])
    while stream.step() is not None:
        pass
    first = stream.look()
    assert stream.look() == first


def test_a_look_and_the_end_of_the_turn_agree_on_the_words(recognizer: Recognizer, options: StreamOptions) -> None:
    stream = recognizer.open_stream(options)
    stream.accept(clip_a())
    while stream.step() is not None:
        pass
    looked = stream.look()
    assert stream.end_turn().words[: looked.hypothesis.final_count] == looked.hypothesis.final_words


def test_the_end_of_a_turn_opens_a_fresh_one(recognizer: Recognizer, options: StreamOptions) -> None:
    stream = recognizer.open_stream(options)
    stream.accept(clip_a())
    while stream.step() is not None:
        pass
    assert stream.end_turn().words
    fresh = stream.look()
    assert (fresh.hypothesis, fresh.end_of_turn_confidence) == (Hypothesis(), 0.0)
    assert (fresh.speech_ms, fresh.speech_onset_ms, fresh.last_speech_end_ms) == (0, None, None)
    assert stream.end_turn() == TurnText((), ())
    opened_ms = fresh.judged_until_ms
    stream.accept(clip_b())
    while stream.step() is not None:
        pass
    words = stream.end_turn().words
    assert words
    assert words[0].end_ms > opened_ms


def test_options_may_change_at_any_time(recognizer: Recognizer, options: StreamOptions) -> None:
    driver = Driver(recognizer, options)
    for index, chunk in enumerate(chunks_of(clip_b(), SECOND)):
        changed = replace(
            options,
            vad_threshold=0.3 + 0.05 * (index % 4),
            wants_partials=index % 2 == 0,
            left_pad_ms=1000 * (index % 3),
        )
        driver.stream.configure(changed)
        driver.hear(chunk)
    assert any(text.words for text in [*driver.finish().texts])


def test_closing_is_idempotent(recognizer: Recognizer) -> None:
    stream = recognizer.open_stream(StreamOptions())
    stream.accept(clip_a()[:SECOND])
    stream.step()
    stream.close()
    stream.close()


@pytest.mark.parametrize("level", [0, 30], ids=["zeros", "quiet-noise"])
def test_nothing_is_heard_in_silence(listener: Recognizer, level: int) -> None:
    run = run_of(listener, StreamOptions(), chunks_of(quiet(30, level), 1600))
    assert all(report.hypothesis == Hypothesis() for report in run.reports)
    assert all(text == TurnText((), ()) for text in run.texts)


def test_ten_minutes_leave_no_more_behind_than_two(recognizer: Recognizer, options: StreamOptions) -> None:
    minute = np.concatenate([clip_b()[: 4 * SECOND], quiet(56, 30)])
    model = {id(item) for item in reachable(recognizer)}
    driver = Driver(recognizer, options)
    sizes = []
    for _ in range(10):
        for chunk in chunks_of(minute, 1600):
            driver.hear(chunk)
        driver.run.said.clear()
        sizes.append(sum(sys.getsizeof(item) for item in reachable(driver.stream) if id(item) not in model))
    assert max(sizes[2:]) <= max(sizes[:2]) * 1.05 + 4096, sizes


def reachable(root: object) -> list[object]:
    """Every object that `root` keeps alive, but for code: modules, classes and functions."""
    found: dict[int, object] = {}
    queue = [root]
    while queue:
        item = queue.pop()
        if id(item) not in found and not isinstance(item, ModuleType | type) and not callable(item):
            found[id(item)] = item
            queue += gc.get_referents(item)
    return list(found.values())
