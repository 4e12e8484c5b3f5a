"""Transcribe files in this process. Imported on use: it needs the engine's packages."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tympan.cli.audience import Audience
from tympan.cli.transcript import SpokenTurn, Transcript
from tympan.client.sources import Pacing, open_audio, pcm_chunks
from tympan.core.audio import AudioFormat, Encoding
from tympan.core.config import OutputConfig, SessionConfig
from tympan.core.effects import Finish
from tympan.core.events import TurnEnded
from tympan.core.units import Monotonic
from tympan.engines import registry
from tympan.engines.base import Recognizer
from tympan.formatting.pipeline import EnglishWording
from tympan.runtime.listener import Listener, stream_options


@dataclass(frozen=True, slots=True)
class LocalTranscriber:
    """A loaded engine, for one file after the other."""

    recognizer: Recognizer
    is_realtime: bool

    def transcribe(self, path: Path, audience: Audience) -> Transcript:
        """Transcribe one file, as fast as the CPU allows or at the pace of the audio.

        Raises:
            MediaError: the file can't be read.
            EngineError: the engine failed.
        """
        with open_audio(path) as audio:
            audience.begin(str(path), audio.frame_count * 1000 / audio.sample_rate_hz)
            audio_format = AudioFormat(Encoding.PCM_S16LE, audio.sample_rate_hz)
            config = SessionConfig(audio_format, output=_ONLY_FINALS)
            listener = Listener(self.recognizer.open_stream(stream_options(config)), config)
            pacing = Pacing(Monotonic(time.monotonic())) if self.is_realtime else None
            turns: list[SpokenTurn] = []
            byte_count = 0
            with closing(listener):
                for chunk in pcm_chunks(audio):
                    byte_count += len(chunk)
                    if pacing is not None:
                        sent_until_ms = audio_format.duration_ms(byte_count)
                        time.sleep(pacing.delay_s(sent_until_ms, Monotonic(time.monotonic())))
                    listener.feed(chunk)
                    turns += _ended_turns(listener, audience)
                listener.mark(Finish())
                turns += _ended_turns(listener, audience)
        return Transcript(str(path), tuple(turns), audio_format.position_ms(byte_count))


@contextmanager
def local_transcriber(
    engine: str, model: str | None, options: Mapping[str, str], *, is_realtime: bool
) -> Iterator[LocalTranscriber]:
    """Load an engine.

    Raises:
        ModelError: no such engine or model.
        SettingsError: the engine has no such option.
    """
    with closing(registry.load(engine, model, options)) as recognizer:
        yield LocalTranscriber(recognizer, is_realtime)


_ONLY_FINALS = OutputConfig(format_turns=True, include_partial_turns=False)
_WORDING = EnglishWording()
"""The same wording as the server's, so that both ways give the same text."""


def _ended_turns(listener: Listener, audience: Audience) -> Iterator[SpokenTurn]:
    while (heard := listener.advance()) is not None:
        audience.judged(heard.judged_until_ms)
        for event in heard.events:
            if isinstance(event, TurnEnded) and event.formatted_words:
                turn = SpokenTurn(_WORDING.formatted(event.formatted_words, filter_profanity=False))
                audience.turn(turn)
                yield turn
