"""Where the model's three files are, and whether they are the right ones.

Rules: nothing is downloaded, and the package that carries the default model is never imported (importing it
loads a native library): its folder is found through its import spec.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from tympan.core.errors import ModelError

ENCODER_FILE = "encoder_model.ort"
DECODER_FILE = "decoder_model_merged.ort"
TOKENIZER_FILE = "tokenizer.bin"
FILE_NAMES = (ENCODER_FILE, DECODER_FILE, TOKENIZER_FILE)

DEFAULT_MODEL = "tiny-en"
DEFAULT_PACKAGE = "moonshine_voice"
DEFAULT_SHA256: Mapping[str, str] = MappingProxyType(
    {
        ENCODER_FILE: "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
        DECODER_FILE: "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
        TOKENIZER_FILE: "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
    }
)
"""Of the files in the wheel moonshine-voice 0.1.0, the last one that carries the model."""

_INSTALL = 'install it with: pip install "tympan[server]"'
_VERIFY = "check it with: tympan models verify"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A Moonshine model in ONNX Runtime's format: three files in one folder, known to exist.

    `expected_sha256` holds checksums by file name; empty for a model that nobody has recorded.
    """

    name: str
    directory: Path
    expected_sha256: Mapping[str, str]

    @property
    def encoder(self) -> Path:
        return self.directory / ENCODER_FILE

    @property
    def decoder(self) -> Path:
        return self.directory / DECODER_FILE

    @property
    def tokenizer(self) -> Path:
        return self.directory / TOKENIZER_FILE

    def checksums(self) -> dict[str, str]:
        """SHA-256 of each file, by name; reads about 44 MB.

        Raises:
            ModelError: a file can't be read, or differs from the expected checksum.
        """
        found = {name: _sha256(self.directory / name) for name in FILE_NAMES}
        for name, expected in self.expected_sha256.items():
            if found[name] != expected:
                raise ModelError(
                    f"model file {self.directory / name} is damaged or of another version: expected SHA-256 "
                    f"{expected}, found {found[name]}; {_VERIFY}"
                )
        return found


def default_files() -> ModelFiles:
    """The default model, in the wheel that carries it.

    Raises:
        ModelError: the wheel isn't installed, or holds no model.
    """
    spec = find_spec(DEFAULT_PACKAGE)
    folders = spec.submodule_search_locations if spec is not None else None
    if not folders:
        raise ModelError(
            f"the default model {DEFAULT_MODEL} comes with the package moonshine-voice 0.1.0, which isn't "
            f"installed; {_INSTALL}, or give the path of a model folder"
        )
    return _existing(DEFAULT_MODEL, Path(folders[0]) / "assets" / DEFAULT_MODEL, DEFAULT_SHA256, _INSTALL)


def files_in(directory: Path) -> ModelFiles:
    """A model in a folder of the user's choice. Its name is the folder's.

    Raises:
        ModelError: the folder lacks one of the three files.
    """
    return _existing(directory.name, directory, {}, _VERIFY)


def _existing(name: str, directory: Path, expected: Mapping[str, str], remedy: str) -> ModelFiles:
    missing = [file for file in FILE_NAMES if not (directory / file).is_file()]
    if missing:
        raise ModelError(
            f"model folder {directory} must hold {', '.join(FILE_NAMES)}; "
            f"missing: {', '.join(missing)}; {remedy}"
        )
    return ModelFiles(name, directory, expected)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"can't read model file {path}: {error.strerror}; {_VERIFY}") from error
