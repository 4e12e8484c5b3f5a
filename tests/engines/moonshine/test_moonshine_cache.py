from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tympan.core.errors import ModelError
from tympan.engines.moonshine.assets import ModelFiles
from tympan.engines.moonshine.cache import GRAPH_NAMES, cached_graphs, default_cache_dir
from tympan.engines.moonshine.precision import Precision


def test_a_second_start_finds_what_the_first_converted(model_files: ModelFiles, cache_dir: Path) -> None:
    first = cached_graphs(model_files, cache_dir, Precision.S8)
    made_ns = first["decoder"].stat().st_mtime_ns
    again = cached_graphs(model_files, cache_dir, Precision.S8)
    assert set(again) == set(GRAPH_NAMES)
    assert again["decoder"].stat().st_mtime_ns == made_ns


def test_precisions_have_entries_of_their_own(model_files: ModelFiles, cache_dir: Path) -> None:
    signed = cached_graphs(model_files, cache_dir, Precision.S8)
    exact = cached_graphs(model_files, cache_dir, Precision.FP32)
    assert signed["encoder"].parent != exact["encoder"].parent


@pytest.mark.parametrize("damaged_file", ["decoder.onnx", "manifest.json"])
def test_a_damaged_entry_is_made_again_with_a_warning(
    model_files: ModelFiles,
    cache_dir: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    damaged_file: str,
) -> None:
    whole = cached_graphs(model_files, cache_dir, Precision.S8)["decoder"].parent
    entry = tmp_path / "moonshine" / whole.name
    shutil.copytree(whole, entry)
    good = (entry / damaged_file).read_bytes()
    (entry / damaged_file).write_bytes(b"damaged" + good[7:])
    cached_graphs(model_files, tmp_path, Precision.S8)
    assert (entry / damaged_file).read_bytes() == good
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert not list(entry.parent.glob("new-*"))


@pytest.mark.usefixtures("model_files")
def test_processes_that_start_together_all_find_a_whole_entry(
    tmp_path: Path,
) -> None:
    script = (
        "from pathlib import Path; from tympan.engines.moonshine.assets import default_files; "
        "from tympan.engines.moonshine.cache import cached_graphs; "
        "from tympan.engines.moonshine.precision import Precision; "
        f"print(cached_graphs(default_files(), Path({str(tmp_path)!r}), Precision.S8)['decoder'])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    starts = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment, text=True)
        for _ in range(2)
    ]
    outputs = [start.communicate(timeout=300)[0] for start in starts]
    assert [start.returncode for start in starts] == [0, 0]
    assert outputs[0] == outputs[1]
    assert Path(outputs[0].strip()).is_file()
    assert len(list((tmp_path / "moonshine").iterdir())) == 1


def test_a_cache_that_cannot_be_written_is_reported_with_the_setting_that_moves_it(
    model_files: ModelFiles, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="TYMPAN_CACHE_DIR"):
        cached_graphs(model_files, tmp_path / "file", Precision.S8)


@pytest.mark.parametrize(
    ("environment", "system", "expected"),
    [
        ({"TYMPAN_CACHE_DIR": "/chosen", "XDG_CACHE_HOME": "/xdg"}, "linux", Path("/chosen")),
        ({"XDG_CACHE_HOME": "/xdg"}, "linux", Path("/xdg/tympan")),
        ({}, "linux", Path.home() / ".cache" / "tympan"),
        ({}, "darwin", Path.home() / "Library" / "Caches" / "tympan"),
        ({"LOCALAPPDATA": "/local"}, "win32", Path("/local/tympan/cache")),
    ],
)
def test_the_cache_lies_where_the_system_or_the_user_wants_it(
    environment: dict[str, str], system: str, expected: Path
) -> None:
    assert default_cache_dir(environment, system) == expected
