"""Audio in messages of any size → pieces of the size that v3 wants. PURE: standard library and `core` only.

Nothing is lost or reordered: the pieces, joined, are the audio as it came. A piece holds whole samples; half a
sample waits for its other half.
"""

from __future__ import annotations

from tympan.core.audio import AudioFormat

MIN_PIECE_MS = 50
MAX_PIECE_MS = 1000
"""What v3 takes in one message (protocol reference, section 3)."""


class Rechunker:
    """The audio of one session."""

    def __init__(self, audio: AudioFormat) -> None:
        sample_bytes = audio.bytes_per_sample
        self._sample_bytes = sample_bytes
        self._min_bytes = -(-audio.sample_rate_hz * MIN_PIECE_MS // 1000) * sample_bytes
        self._max_bytes = audio.sample_rate_hz * MAX_PIECE_MS // 1000 * sample_bytes
        self._waiting = b""

    def receive(self, payload: bytes) -> list[bytes]:
        """Audio came; the pieces that are complete. Less than the shortest piece waits for more."""
        data = self._waiting + payload
        pieces = []
        while len(data) >= self._min_bytes:
            piece = data[: min(self._max_bytes, len(data) // self._sample_bytes * self._sample_bytes)]
            pieces.append(piece)
            data = data[len(piece) :]
        self._waiting = data
        return pieces

    def flush(self) -> list[bytes]:
        """What waits, however short: something follows that acts where the audio stands."""
        cut = len(self._waiting) // self._sample_bytes * self._sample_bytes
        piece, self._waiting = self._waiting[:cut], self._waiting[cut:]
        return [piece] if piece else []
