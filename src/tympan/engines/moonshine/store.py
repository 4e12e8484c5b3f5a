"""Models on this machine: the wheel's, pulled ones, and folders of the user's. Never downloads.

A pulled model is a folder of the models directory with the three files and `manifest.json`, written when it
was pulled: where it came from, which revision, and the SHA-256 of each file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tympan.core.errors import ModelError
from tympan.engines.moonshine.assets import DEFAULT_MODEL, FILE_NAMES, ModelFiles, default_files, files_in
from tympan.engines.moonshine.catalog import KNOWN_MODELS, known_model

MANIFEST_FILE = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of a pulled model's files."""

    source: str
    revision: str
    sha256: Mapping[str, str]

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"

    @staticmethod
    def parse(text: str, path: Path) -> Manifest:
        """Read a manifest. Raises ModelError when `path` holds none."""
        try:
            raw = json.loads(text)
            checksums = {str(name): str(checksum) for name, checksum in raw["sha256"].items()}
            manifest = Manifest(str(raw["source"]), str(raw["revision"]), checksums)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ModelError(f"{path} is damaged: {error!r}; pull the model again") from error
        if set(manifest.sha256) != set(FILE_NAMES):
            raise ModelError(f"{path} is damaged: checksums of {FILE_NAMES} expected; pull the model again")
        return manifest


def models_directory(environment: Mapping[str, str]) -> Path:
    """`TYMPAN_MODELS_DIR`, else `tympan/models` in the user's data directory (XDG)."""
    if chosen := environment.get("TYMPAN_MODELS_DIR"):
        return Path(chosen).expanduser()
    data_home = environment.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data_home).expanduser() / "tympan" / "models"


def find_model(model: str | None, models_dir: Path) -> ModelFiles:
    """Files of a model by name or path; None is the default. A name comes before a folder of that name.

    Raises:
        ModelError: it isn't there or lacks a file; the message names the command that fetches it.
    """
    if model is None or model == DEFAULT_MODEL:
        return default_files()
    if _is_folder(models_dir / model):
        return _in_folder(models_dir / model)
    if known_model(model) is not None:
        raise ModelError(f"model {model!r} is not on this machine; fetch it with: tympan models pull {model}")
    if _is_folder(Path(model)):
        return _in_folder(Path(model))
    names = ", ".join(known.name for known in KNOWN_MODELS)
    raise ModelError(f"no model {model!r}: expected one of {names}, a model that was pulled, or a folder")


def pulled_models(models_dir: Path) -> list[str]:
    """Names of the models in the models directory, in order."""
    if not models_dir.is_dir():
        return []
    return sorted(entry.name for entry in models_dir.iterdir() if (entry / MANIFEST_FILE).is_file())


def _in_folder(folder: Path) -> ModelFiles:
    files = files_in(folder)
    manifest = folder / MANIFEST_FILE
    if not manifest.is_file():
        return files
    try:
        text = manifest.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{manifest} can't be read: {error}; pull the model again") from error
    return replace(files, expected_sha256=Manifest.parse(text, manifest).sha256)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name too long to be one, or a folder that isn't to be looked into
        return False
