"""Audio for services that listen: a recording, or nothing where the service plays a script.

Resampling here is as plain as can be: a service has to understand it, not to like it.
"""

from __future__ import annotations

import wave
from array import array
from importlib.util import find_spec
from pathlib import Path

RATE_HZ = 16_000
_FRAME = RATE_HZ // 50
_LOUD = 1 / 5
"""Of the loudest frame: where somebody speaks, and no breath."""
_LEAD = RATE_HZ // 5
_MULAW_BIAS = 0x84
_MULAW_CLIP = 32_635


def default_recording() -> Path | None:
    """The speech that the model's package carries; None where it isn't installed."""
    spec = find_spec("moonshine_voice")
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]) / "assets" / "beckett.wav"
    return path if path.is_file() else None


def load(path: Path) -> bytes:
    """The samples of a 16 kHz mono PCM16 recording, from 200 ms before it is loud on: its first second holds speech."""
    with wave.open(str(path), "rb") as file:
        shape = (file.getframerate(), file.getnchannels(), file.getsampwidth())
        assert shape == (RATE_HZ, 1, 2), f"{path}: expected 16 kHz mono PCM16, got {shape}"
        pcm = file.readframes(file.getnframes())
    samples = array("h", pcm)
    levels = [sum(map(abs, samples[at : at + _FRAME])) for at in range(0, len(samples), _FRAME)]
    enough = _LOUD * max(levels, default=0)
    loud = next((index for index, level in enumerate(levels) if level > enough), 0)
    return pcm[2 * max(loud * _FRAME - _LEAD, 0) :]


def quiet(duration_ms: int) -> bytes:
    """PCM16 that holds nothing."""
    return bytes(duration_ms * RATE_HZ // 1000 * 2)


def converted(pcm: bytes, *, sample_rate_hz: int, encoding: str) -> bytes:
    """PCM16 at 16 kHz → the same at another rate and in another encoding."""
    samples = array("h", pcm)
    if sample_rate_hz != RATE_HZ:
        count = len(samples) * sample_rate_hz // RATE_HZ
        samples = array("h", (samples[place * RATE_HZ // sample_rate_hz] for place in range(count)))
    if encoding == "pcm_s16le":
        return samples.tobytes()
    assert encoding == "pcm_mulaw", encoding
    return bytes(map(_mulaw, samples))


def _mulaw(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), _MULAW_CLIP) + _MULAW_BIAS
    exponent = max(magnitude.bit_length() - 8, 0)
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return ~(sign | exponent << 4 | mantissa) & 0xFF
