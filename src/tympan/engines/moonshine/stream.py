"""MoonshineStream: one session's state; ties voice activity, window, decoder and commit policy together.

Everything happens at fixed positions of the audio: a frame of 32 ms is judged at a time, and while somebody
speaks the window is decoded every `UPDATE_FRAMES` frames, or, where no word is final before the turn ends, when
the stream is told to read. In silence nothing is decoded but for looks, and once after a breath for who is in a hurry.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tympan.core.config import Finality
from tympan.core.endpoint import LATE_LOOK_SILENCE_MS
from tympan.core.units import ENGINE_SAMPLE_RATE_HZ, StreamMs, stream_ms
from tympan.core.vad import SpeechTracker
from tympan.core.words import Hypothesis, Report, TurnText
from tympan.engines.base import Samples, StreamOptions
from tympan.engines.false_text import VoiceMeter, is_false_text
from tympan.engines.moonshine.hypothesis import Decode
from tympan.engines.moonshine.model import MoonshineModel
from tympan.engines.moonshine.policy import CommitPolicy, ScoredAgreement
from tympan.engines.moonshine.turn_words import TurnWords
from tympan.engines.moonshine.window import Window
from tympan.engines.silero import FRAME_MS, FRAME_SAMPLES, SileroModel, SileroStream
from tympan.engines.smart_turn import SmartTurn
from tympan.engines.turn_ear import TurnEar
from tympan.engines.turn_score import EndOfTurnScore, TurnFeatures

UPDATE_FRAMES = 8
"""Frames between two decodes while somebody speaks: 256 ms (policy findings: steps of 250 ms)."""

SETTLING_FRAMES = 32
"""The same where no word is shown in between, in a long window that waits for a place to be cut: 1,024 ms."""

LONGEST_LEAD_FRAMES = 10
"""A word begins at most this long before the end of the frame in which its voice is detected: 320 ms. The model finds
the beginning of a word that stands behind more silence up to seconds too early."""

BREATH_FRAMES = 2
"""After 64 ms of silence everything spoken so far is decoded and kept: who forces the turn to end need not wait for it.
Voice agents do so after 200 ms on their own detection, which is deaf to the faint end of a word, and their last 50 ms
aren't sent yet: 96 to 128 ms of silence here. It costs a decode in each pause, so under `Finality.WORDS` it begins with
the first turn that is asked to be heard out. It isn't told before: the commit policy was measured without it."""

HANGOVER_FRAMES = 6
"""Decodes go on for this long after the last speech frame: a breath is no reason to stop."""

SHORTEST_WINDOW_MS = 600
"""No decode before: what the model makes of less is wild (design, section 8.4)."""

PARTIALS_FROM_MS = 10_000
"""Without partials wanted, or where they are read, decodes begin here: the window can only be cut behind words that
the commit policy takes for final."""

UTTERANCE_SILENCE_MS = LATE_LOOK_SILENCE_MS
"""A pause this long closes an utterance: its words become final, also where the turn goes on. Doing so at 400 ms
freezes more half-heard words before short pauses in mid-sentence (policy sweep: 0.2 points of word errors)."""

LONG_PAUSE_FRAMES = 47
"""After 1.5 s of silence in an open turn the window is closed: silence is not worth encoding."""

_FULL_SCALE = np.float32(32768)


@dataclass(frozen=True, slots=True)
class Parts:
    """What all streams of a recognizer share."""

    model: MoonshineModel
    vad: SileroModel
    score: EndOfTurnScore
    smart_turn: SmartTurn | None = None
    new_policy: Callable[[], CommitPolicy] = ScoredAgreement


class MoonshineStream:
    """See `tympan.engines.base.Stream`."""

    def __init__(self, parts: Parts, options: StreamOptions) -> None:
        self._parts = parts
        self._vad = SileroStream(parts.vad)
        self._meter = VoiceMeter()
        self._ear = TurnEar(parts.smart_turn)
        self._is_believed = False
        self._options = options
        self._tracker = SpeechTracker(options.vad_threshold)
        self._queue: deque[Samples] = deque()
        self._queued_samples = 0
        self._is_finished = False
        self._judged_samples = 0
        self._recent: deque[Samples] = deque(maxlen=_pad_frames(options))
        self._window: Window | None = None
        self._words = TurnWords(parts.new_policy(), options.finality)
        self._frames_since_decode = 0
        self._frames_since_speech = 0
        self._looked_at_samples = -1
        self._speech_probability = 0.0  # of the last frame
        self._is_heard_out = True  # a look has decoded everything since the last speech frame
        self._breath: Decode | None = None  # the same of a decode that isn't told yet
        self._is_hurried = options.finality is Finality.TURN
        self._confidence = 0.0

    def accept(self, samples: Samples) -> None:
        if len(samples):
            self._queue.append(samples)
            self._queued_samples += len(samples)

    def step(self) -> Report | None:
        if self._queued_samples < FRAME_SAMPLES and not (self._is_finished and self._queued_samples):
            return None
        self._hear(self._take_frame())
        return self._report()

    def look(self) -> Report:
        if self._window is not None and self._looked_at_samples != self._judged_samples:
            self._looked_at_samples = self._judged_samples
            self._is_heard_out = True
            decode = self._window.decode(is_last=self._frames_since_speech > 0)
            if self._frames_since_speech * FRAME_MS >= UTTERANCE_SILENCE_MS:
                self._words.flush(decode)
            else:
                self._words.hear_out(decode)
            self._confidence = self._score(self._window)
        return self._report()

    def hear_out(self) -> Report:
        self._is_hurried = True
        if not self._is_heard_out:
            self._hear_out()
        return self._report()

    def read(self) -> Report:
        if self._window is not None and self._frames_since_decode and not self._is_heard_out:
            self._update(self._window)
        return self._report()

    def end_turn(self) -> TurnText:
        if not self._is_heard_out:
            self._hear_out()
        self._words.flush()
        text = TurnText((), ())
        if self._is_believable():
            text = self._words.text(self._options.formatted_source)
        self._words.reset()
        self._tracker.reset()
        self._meter.reset()
        self._ear.reset()
        self._is_believed = False
        self._window = self._breath = None
        self._confidence = 0.0
        # The next turn's pre-roll must not hear this turn's speech again.
        while len(self._recent) > self._frames_since_speech:
            self._recent.popleft()
        return text

    def finish(self) -> None:
        self._is_finished = True

    def configure(self, options: StreamOptions) -> None:
        self._options = options
        self._tracker.threshold = options.vad_threshold
        self._recent = deque(self._recent, maxlen=_pad_frames(options))

    def close(self) -> None:
        self._queue.clear()
        self._queued_samples = 0
        self._window = None

    def _take_frame(self) -> Samples:
        """The next 512 samples, or, at the very end, those that are left."""
        frame = np.empty(min(FRAME_SAMPLES, self._queued_samples), dtype=np.int16)
        filled = 0
        while filled < len(frame):
            head = self._queue.popleft()
            piece = head[: len(frame) - filled]
            frame[filled : filled + len(piece)] = piece
            filled += len(piece)
            if len(piece) < len(head):
                self._queue.appendleft(head[len(piece) :])
        self._queued_samples -= len(frame)
        return frame

    def _hear(self, frame: Samples) -> None:
        start_ms = self._now_ms()
        self._judged_samples += len(frame)
        padded = np.zeros(FRAME_SAMPLES, np.float32)
        np.divide(frame, _FULL_SCALE, out=padded[: len(frame)])
        self._speech_probability = probability = self._vad.judge(padded)
        is_speech = self._tracker.receive_frame(probability, start_ms, self._now_ms())
        if is_speech:
            self._meter.receive_frame(probability)
            self._frames_since_speech = 0
            self._is_heard_out = False
            self._breath = None
            self._confidence = 0.0  # a score belongs to the pause it was made in
        else:
            self._frames_since_speech += 1
        self._ear.receive_frame(frame, self._frames_since_speech)
        self._recent.append(frame)
        if self._window is None:
            if is_speech:
                self._open_window()
        else:
            self._window.accept(frame)
            self._frames_since_decode += 1
            self._follow(self._window)

    def _open_window(self) -> None:
        audio = np.concatenate(self._recent)
        earliest_ms = stream_ms(self._judged_samples - LONGEST_LEAD_FRAMES * FRAME_SAMPLES, ENGINE_SAMPLE_RATE_HZ)
        self._window = Window(self._parts.model, self._judged_samples - len(audio), earliest_ms)
        self._window.accept(audio)
        self._frames_since_decode = 0

    def _follow(self, window: Window) -> None:
        """Decode when an update is due; move or close the window when it is long."""
        if self._frames_since_speech >= LONG_PAUSE_FRAMES:
            if not self._is_heard_out:
                self.look()
            self._words.settle(self._now_ms())
            self._window = self._breath = None
            return
        is_read = self._options.finality is Finality.TURN
        step_frames = SETTLING_FRAMES if is_read else UPDATE_FRAMES
        is_due = self._frames_since_decode >= step_frames and not self._is_heard_out
        is_heard = self._frames_since_speech <= HANGOVER_FRAMES
        is_followed = self._options.wants_partials and not is_read
        is_wanted = is_followed or window.end_ms - window.start_ms >= PARTIALS_FROM_MS
        if is_due and is_heard and is_wanted:
            self._update(window)
        elif self._is_hurried and self._frames_since_speech == BREATH_FRAMES:
            self._breath = window.decode(is_last=True)

    def _hear_out(self) -> None:
        if self._window is None or self._breath is None:
            self.look()
            return
        self._is_heard_out = True
        self._words.hear_out(self._breath)
        self._confidence = self._score(self._window)

    def _update(self, window: Window) -> None:
        """Decode while somebody speaks, unless there is too little to decode; cut the window when it is long."""
        if window.end_ms - window.start_ms < SHORTEST_WINDOW_MS:
            return
        self._frames_since_decode = 0
        decode = window.decode(is_last=False)
        self._words.receive(decode)
        self._breath = decode if self._frames_since_speech >= BREATH_FRAMES else None
        cut_ms = self._words.cut_ms(window.start_ms, self._now_ms())
        if cut_ms is not None:
            self._words.settle(window.trim(cut_ms))
            self._breath = None  # it holds words that are settled now

    def _score(self, window: Window) -> float:
        words = self._words.words
        if not words:
            return 0.0
        features = TurnFeatures(
            word_count=len(words),
            last_word_key=words[-1].key,
            last_word_log_prob=words[-1].log_prob,
            p_end=window.end_probability,
            smart_turn=self._ear.probability,
        )
        return self._parts.score.confidence(features)

    def _is_believable(self) -> bool:
        """Whether the turn's text was heard; once it is believed, the rest of the turn is."""
        words = self._words.words
        if not self._is_believed and words:
            self._is_believed = not is_false_text(
                self._meter.voice,
                word_count=len(words),
                lowest_log_prob=min(word.log_prob for word in words),
            )
        return self._is_believed

    def _now_ms(self) -> StreamMs:
        return stream_ms(self._judged_samples, ENGINE_SAMPLE_RATE_HZ)

    def _report(self) -> Report:
        return Report(
            judged_until_ms=self._now_ms(),
            speech_ms=self._tracker.speech_ms,
            speech_onset_ms=self._tracker.onset_ms,
            last_speech_end_ms=self._tracker.last_end_ms,
            is_speech=self._tracker.is_speech,
            hypothesis=self._words.hypothesis if self._is_believable() else Hypothesis(),
            end_of_turn_confidence=self._confidence,
            speech_probability=self._speech_probability,
        )


def _pad_frames(options: StreamOptions) -> int:
    """Frames that a window begins with, that of the onset included."""
    return max(1, options.left_pad_ms // FRAME_MS)
