"""Little-endian 16-bit bytes ↔ samples. No I/O."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def decode_pcm16(payload: bytes) -> NDArray[np.int16]:
    """Whole samples; `payload` has an even length. The result may be read-only."""
    return np.frombuffer(payload, dtype="<i2").astype(np.int16, copy=False)


def encode_pcm16(samples: NDArray[np.int16]) -> bytes:
    """The bytes of mono samples."""
    return samples.astype("<i2", copy=False).tobytes()


def quantize(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """−1 to 1 → 16 bits: rounded to the nearest, clipped, without dither (the same in, the same out)."""
    scaled: NDArray[np.float32] = np.rint(samples * np.float32(32768))
    return np.clip(scaled, -32768, 32767).astype(np.int16)
