"""How much of a byte stream may be passed over in search of audio. PURE: standard library only.

A stream may be joined in its middle, carry what is no audio, or have lost a piece: the framer looks for the next place
where audio begins. What hardly ever has one isn't audio, and looking costs time: so there is a limit.
"""

from __future__ import annotations

from tympan.core.errors import BadAudio

_AUDIO_PER_DAMAGE = 8
"""So many bytes of audio make good for one that was passed over before them."""


class Damage:
    """What was passed over, less what audio has made good."""

    def __init__(self, limit_bytes: int, expected: str) -> None:
        self._limit_bytes = limit_bytes
        self._expected = expected
        self._passed_bytes = 0

    def find_audio(self, byte_count: int) -> None:
        """So many bytes are audio."""
        self._passed_bytes = max(0, self._passed_bytes - byte_count // _AUDIO_PER_DAMAGE)

    def pass_over(self, byte_count: int) -> None:
        """So many bytes are none.

        Raises:
            BadAudio: those are too many.
        """
        self._passed_bytes += byte_count
        if self._passed_bytes > self._limit_bytes:
            raise BadAudio(f"expected {self._expected}, found too little of it in {self._passed_bytes:,} bytes")
