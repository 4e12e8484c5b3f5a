from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tympan.core.errors import ModelError
from tympan.engines.moonshine.assets import (
    DEFAULT_PACKAGE,
    DEFAULT_SHA256,
    FILE_NAMES,
    ModelFiles,
    default_files,
    files_in,
)


def test_the_installed_default_model_has_the_recorded_checksums(model_files: ModelFiles) -> None:
    assert model_files.checksums() == DEFAULT_SHA256


@pytest.mark.usefixtures("model_files")
def test_finding_the_default_model_never_imports_the_package_that_carries_it() -> None:
    default_files()
    assert DEFAULT_PACKAGE not in sys.modules


def test_without_the_wheel_the_error_names_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tympan.engines.moonshine.assets.DEFAULT_PACKAGE", "no_such_package")
    with pytest.raises(ModelError, match=r'pip install "tympan\[server\]"'):
        default_files()


def test_a_folder_that_lacks_files_is_refused_by_naming_them(tmp_path: Path) -> None:
    (tmp_path / FILE_NAMES[0]).touch()
    with pytest.raises(ModelError, match=r"missing: decoder_model_merged\.ort, tokenizer\.bin"):
        files_in(tmp_path)


def test_a_folder_of_the_users_choice_gives_its_name_to_the_model(tmp_path: Path) -> None:
    folder = tmp_path / "base-en"
    folder.mkdir()
    for name in FILE_NAMES:
        (folder / name).write_bytes(name.encode())
    files = files_in(folder)
    assert files.name == "base-en"
    assert set(files.checksums()) == set(FILE_NAMES)


def test_a_changed_file_is_refused_with_the_command_that_checks_it(tmp_path: Path) -> None:
    for name in FILE_NAMES:
        (tmp_path / name).write_bytes(b"other")
    with pytest.raises(ModelError, match="tympan models verify"):
        ModelFiles("tiny-en", tmp_path, DEFAULT_SHA256).checksums()
