"""What it is that isn't what it should be: the first bytes of a stream. PURE: standard library only.

Only for telling a programmer what to do: whatever isn't known here is judged by its framer.
"""

from __future__ import annotations

from tympan.core.errors import BadAudio

HEAD_BYTES = 12
"""As many bytes tell."""

_BEGINNINGS = (
    (0, b"\x1aE\xdf\xa3", "WebM or Matroska"),
    (0, b"OggS", "Ogg"),
    (0, b"RIFF", "WAV"),
    (0, b"fLaC", "FLAC"),
    (0, b"caff", "CAF"),
    (0, b"ADIF", "AAC with an ADIF header"),
    (0, b"FLV\x01", "FLV"),
    (4, b"ftyp", "MP4"),
    (4, b"styp", "MP4"),
)


def check_not_foreign(head: bytes | bytearray, *, expected: str) -> None:
    """Look at the first bytes of a stream.

    Raises:
        BadAudio: they are the beginning of a container that nobody wants here.
    """
    for at, beginning, name in _BEGINNINGS:
        if head.startswith(beginning, at):
            raise BadAudio(f"expected {expected}, got {name}")
