"""One door: a decoder of what comes in from outside, opened as the program does it; what its tables have in common."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Bytes = tuple[bytes, ...]
Opening = Callable[[bytes, Path], object]


@dataclass(frozen=True)
class Door:
    """`opening` takes the bytes in a folder of its own, and checks what must hold of what comes out.

    `errors` are all that it may raise. `seeds` are honest inputs. `is_slow`: tried less often.
    """

    name: str
    opening: Opening
    errors: tuple[type[Exception], ...]
    seeds: Bytes
    decoders: tuple[str, ...]
    is_slow: bool = False

    def offer(self, data: bytes, folder: Path) -> None:
        """Bring bytes to the door: nothing but the documented errors comes back, and each can be told in a line."""
        try:
            self.opening(data, folder)
        except self.errors as error:
            text = str(error)
            assert text
            assert len(text) < 2_000 + 2 * len(str(folder)), text[:200]


def text_of(data: bytes) -> str:
    """As a frame or an address brings it: invalid UTF-8 doesn't pass the socket."""
    return data.decode(errors="replace")


def json_lines(*documents: object) -> Bytes:
    """Each as a message."""
    return tuple(json.dumps(document).encode() for document in documents)
