"""The default engine: a Moonshine model and a voice activity detector, shared by streams."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tympan.core.errors import ModelError
from tympan.engines.base import Capabilities, Recognizer, StreamOptions
from tympan.engines.moonshine.cache import default_cache_dir
from tympan.engines.moonshine.model import MoonshineModel
from tympan.engines.moonshine.precision import Precision, best_precision
from tympan.engines.moonshine.store import find_model, models_directory
from tympan.engines.moonshine.stream import MoonshineStream, Parts
from tympan.engines.options import check_options
from tympan.engines.silero import SileroModel
from tympan.engines.smart_turn import SmartTurn
from tympan.engines.turn_score import LogisticScore
from tympan.engines.wheel_model import SMART_TURN

_OPTIONS = ("precision", "cache_dir", "smart_turn")
_PULLED = "pulled"


class MoonshineRecognizer:
    """See `tympan.engines.base.Recognizer`."""

    name = "moonshine"
    capabilities = Capabilities(languages=("en",), has_formatting=True)

    def __init__(self, parts: Parts) -> None:
        self.model = parts.model.name
        self._parts = parts

    def open_stream(self, options: StreamOptions) -> MoonshineStream:
        return MoonshineStream(self._parts, options)

    def close(self) -> None:
        """The sessions are freed with the last reference."""


def load(model: str | None, options: Mapping[str, str]) -> Recognizer:
    """Load the default model (None or `tiny-en`), one that was pulled, by its name, or the one in a folder.

    Options: `precision` (s8, u8, fp32; default: what suits the processor), `cache_dir`, and `smart_turn`, the
    path of the optional second model for the end of turns, or `pulled` for the one in the models directory.

    Raises:
        ModelError: files missing, damaged or of an unknown kind; no such precision.
        SettingsError: no such option.
    """
    check_options(MoonshineRecognizer.name, options, _OPTIONS)
    models_dir = models_directory(os.environ)
    files = find_model(model, models_dir)
    asked = options.get("precision")
    if asked is not None and asked not in set(Precision):
        raise ModelError(f"no precision is called {asked!r}; there are: {', '.join(Precision)}")
    precision = best_precision() if asked is None else Precision(asked)
    cache_dir = Path(options["cache_dir"]) if "cache_dir" in options else default_cache_dir()
    smart_turn = _smart_turn(options["smart_turn"], models_dir) if "smart_turn" in options else None
    model_loaded = MoonshineModel.load(files, cache_dir, precision)
    return MoonshineRecognizer(Parts(model_loaded, SileroModel(), LogisticScore(), smart_turn))


def _smart_turn(place: str, models_dir: Path) -> SmartTurn:
    return SmartTurn.load(SMART_TURN.find(models_dir) if place == _PULLED else Path(place).expanduser())
