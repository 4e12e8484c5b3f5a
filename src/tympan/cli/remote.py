"""Transcribe files through a server that speaks v3. Imported on use."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from tympan.cli.audience import Audience
from tympan.cli.errors import needs_extra
from tympan.cli.transcript import SpokenTurn, Transcript
from tympan.client.aio import Session, connect
from tympan.client.errors import NetworkError
from tympan.client.sources import AudioFile, Pacing, open_audio, pcm_chunks
from tympan.core.audio import AudioFormat
from tympan.core.errors import TympanError
from tympan.core.units import Monotonic, StreamMs
from tympan.core.words import Word
from tympan.wire.v3 import messages

_MIN_RATE_HZ, _MAX_RATE_HZ = 8_000, 96_000
"""What the protocol accepts (protocol reference, section 2.1)."""

_HEAD_START_MS = 120_000
_SPEED = 4.0
"""Without --realtime: two minutes at once, the rest at four times the pace of the audio. A server ends a
session when five minutes wait to be judged (protocol reference, section 3)."""


@dataclass(frozen=True, slots=True)
class RemoteTranscriber:
    """A server, for one file after the other; a session each."""

    url: str
    api_key: str | None
    is_realtime: bool

    def transcribe(self, path: Path, audience: Audience) -> Transcript:
        """Stream one file.

        Raises:
            MediaError: the file can't be read.
            ClientError: no connection, or the server refuses or ends the session.
        """
        with open_audio(path) as audio:
            audience.begin(str(path), audio.frame_count * 1000 / audio.sample_rate_hz)
            try:
                return asyncio.run(self._stream(str(path), audio, audience))
            except* TympanError as group:
                failure: BaseException = group
                while isinstance(failure, BaseExceptionGroup):
                    failure = failure.exceptions[0]
                raise failure from None
        raise AssertionError("unreachable")

    async def _stream(self, file: str, audio: AudioFile, audience: Audience) -> Transcript:
        audio_format, chunks = _service_audio(audio)
        parameters = {
            "sample_rate": audio_format.sample_rate_hz,
            "encoding": audio_format.encoding.value,
            "format_turns": True,
            "include_partial_turns": False,
        }
        async with (
            connect(self.url, api_key=self.api_key, parameters=parameters) as session,
            asyncio.TaskGroup() as tasks,
        ):
            sending = tasks.create_task(self._send(session, audio_format, chunks, audience))
            turns = [turn async for turn in _ended_turns(session, audience)]
        return Transcript(file, tuple(turns), audio_format.position_ms(sending.result()))

    async def _send(
        self, session: Session, audio_format: AudioFormat, chunks: Iterator[bytes], audience: Audience
    ) -> int:
        """Send everything; the number of bytes."""
        started = Monotonic(time.monotonic())
        pacing = Pacing(started) if self.is_realtime else Pacing(started, _SPEED, _HEAD_START_MS)
        byte_count = 0
        try:
            for chunk in chunks:
                byte_count += len(chunk)
                sent_until_ms = audio_format.duration_ms(byte_count)
                await asyncio.sleep(pacing.delay_s(sent_until_ms, Monotonic(time.monotonic())))
                await session.send_audio(chunk)
                audience.judged(sent_until_ms)
            await session.terminate()
        except NetworkError:
            pass  # The receiving side knows why the session ended, and says so.
        return byte_count


async def _ended_turns(session: Session, audience: Audience) -> AsyncIterator[SpokenTurn]:
    async for message in session:
        if isinstance(message, messages.Turn) and message.end_of_turn and message.turn_is_formatted:
            if not message.words:
                continue
            turn = SpokenTurn(
                tuple(
                    Word(word.text, StreamMs(word.start), StreamMs(word.end), word.confidence) for word in message.words
                )
            )
            audience.turn(turn)
            yield turn


def _service_audio(audio: AudioFile) -> tuple[AudioFormat, Iterator[bytes]]:
    """The file's audio at a rate that the service accepts: its own one where possible."""
    audio_format = AudioFormat(sample_rate_hz=audio.sample_rate_hz)
    if _MIN_RATE_HZ <= audio.sample_rate_hz <= _MAX_RATE_HZ:
        return audio_format, pcm_chunks(audio)
    with needs_extra("media"):
        from tympan.dsp.decode import PcmDecoder  # noqa: PLC0415  (needs numpy, which few files do)
        from tympan.dsp.pcm import encode_pcm16  # noqa: PLC0415
    decoder = PcmDecoder(audio_format)

    def resampled() -> Iterator[bytes]:
        for chunk in pcm_chunks(audio):
            yield encode_pcm16(decoder.decode(chunk))
        yield encode_pcm16(decoder.flush())

    return AudioFormat(), resampled()
