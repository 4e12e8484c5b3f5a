"""G.711 µ-law → linear 16-bit samples, by table. No I/O.

ITU-T G.711: a byte is the complement of sign (1 bit), exponent (3 bits) and mantissa (4 bits). The 14-bit
magnitude is scaled to 16 bits, as telephone software does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BIAS = 0x84
"""33 × 4: the bias of G.711 on the 16-bit scale; it makes every magnitude's leading one explicit."""


def _build_table() -> NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.uint8)
    exponent = (code >> 4) & 0x07
    mantissa = (code & 0x0F).astype(np.int32)
    magnitude = (((mantissa << 3) + _BIAS) << exponent) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


_TABLE = _build_table()


def decode_mulaw(payload: bytes) -> NDArray[np.int16]:
    """One sample a byte, −32124 to 32124."""
    return _TABLE[np.frombuffer(payload, dtype=np.uint8)]
