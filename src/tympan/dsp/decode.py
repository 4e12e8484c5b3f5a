"""The client's bytes → 16 kHz mono samples: every encoding and rate, one door. No I/O."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Protocol, assert_never

import numpy as np
from numpy.typing import NDArray

from tympan.core.audio import AudioFormat, CompressedFormat, Encoding, SessionAudio
from tympan.core.errors import BadParameter, UsageError
from tympan.core.units import ENGINE_SAMPLE_RATE_HZ
from tympan.dsp.compressed import CompressedDecoder
from tympan.dsp.mulaw import decode_mulaw
from tympan.dsp.pcm import decode_pcm16
from tympan.dsp.resample import Resampler


class Decoder(Protocol):
    """One session's audio. The same bytes give the same samples, however they are chunked; Opus packets aren't."""

    def decode(self, payload: bytes) -> NDArray[np.int16]:
        """Samples at 16 kHz that a message of the client completes; any length, none included.

        Raises:
            UsageError: after `flush`.
            BadAudio: it isn't what it is said to be, or too damaged.
        """

    def flush(self) -> NDArray[np.int16]:
        """What was held back. No audio may follow. Idempotent."""


def decoder_of(audio: SessionAudio) -> Decoder:
    """The decoder of a format; see `check_decodable`."""
    return PcmDecoder(audio) if isinstance(audio, AudioFormat) else CompressedDecoder(audio)


def can_decompress() -> bool:
    """Whether what decodes compressed audio is installed."""
    return find_spec("av") is not None


def check_decodable(audio: SessionAudio) -> None:
    """Whether audio of that format can be decoded here.

    Raises:
        BadParameter: it is compressed, and the package that decodes it isn't installed.
    """
    if isinstance(audio, CompressedFormat) and not can_decompress():
        raise BadParameter(
            "encoding",
            f"'{audio.encoding}' needs the package av on the server, which isn't installed there; "
            f'pip install "tympan[compressed]", or send {" or ".join(Encoding)}',
        )


class PcmDecoder:
    """One session's audio. The same bytes give the same samples, however they are chunked.

    Half a sample at the end of a chunk waits for its other half in the next one. At 16 kHz nothing is held
    back; at other rates the resampler keeps the last 10 to 30 ms until more comes or `flush`.
    """

    def __init__(self, audio_format: AudioFormat) -> None:
        self._encoding = audio_format.encoding
        self._bytes_per_sample = audio_format.bytes_per_sample
        rate_hz = audio_format.sample_rate_hz
        self._resampler = None if rate_hz == ENGINE_SAMPLE_RATE_HZ else Resampler(rate_hz)
        self._half_sample = b""
        self._is_flushed = False

    def decode(self, payload: bytes) -> NDArray[np.int16]:
        """Samples at 16 kHz that `payload` completes; any length, none included.

        Raises:
            UsageError: after `flush`.
        """
        if self._is_flushed:
            raise UsageError("decode() after flush(): a decoder serves one stream, open another")
        payload = self._half_sample + payload
        whole = len(payload) - len(payload) % self._bytes_per_sample
        self._half_sample = payload[whole:]
        samples = self._to_linear(payload[:whole])
        return samples if self._resampler is None else self._resampler.resample(samples)

    def flush(self) -> NDArray[np.int16]:
        """What was held back. No audio may follow; half a sample left over is no sound. Idempotent."""
        if self._is_flushed or self._resampler is None:
            self._is_flushed = True
            return np.zeros(0, dtype=np.int16)
        self._is_flushed = True
        return self._resampler.flush()

    def _to_linear(self, payload: bytes) -> NDArray[np.int16]:
        match self._encoding:
            case Encoding.PCM_S16LE:
                return decode_pcm16(payload)
            case Encoding.PCM_MULAW:
                return decode_mulaw(payload)
            case _ as unreachable:
                assert_never(unreachable)
