"""The recording that everybody has who has the default model: it comes in the same package, which isn't imported."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

RECORDING = "two_cities.wav"
"""The opening of A Tale of Two Cities, 44 s."""


def known_recording() -> Path | None:
    """Where it is; None where the package isn't installed."""
    spec = find_spec("moonshine_voice")
    folders = spec.submodule_search_locations if spec is not None else None
    path = Path(folders[0]) / "assets" / RECORDING if folders else None
    return path if path is not None and path.is_file() else None
