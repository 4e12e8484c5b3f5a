"""Pulling a model: the real `huggingface_hub` against a hub on loopback that serves small made-up files."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path

import pytest

from tympan.core.errors import DownloadError, ModelError
from tympan.engines.moonshine.assets import FILE_NAMES
from tympan.engines.moonshine.catalog import KNOWN_MODELS, HubFolder
from tympan.engines.moonshine.pull import hub_folder, pull_model
from tympan.engines.moonshine.store import Manifest, find_model, pulled_models

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FOLDER = "onnx/merged/base/quantized"


class Hub(ThreadingHTTPServer):
    """A hub with one repository. Its faults are switches."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.endpoint = f"http://127.0.0.1:{self.server_port}"
        self.files = {f"{FOLDER}/{name}": (name * 3_000).encode() for name in FILE_NAMES}
        self.failing: set[str] = set()
        self.damaged: set[str] = set()
        self.breaks_once_after: dict[str, int] = {}
        self.requests: Counter[str] = Counter()
        self.ranges: list[str] = []


class Answer(BaseHTTPRequestHandler):
    """The hub's `resolve` addresses, with the headers that `huggingface_hub` reads."""

    server: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._resolve(with_body=False)

    def do_GET(self) -> None:
        self._resolve(with_body=True)

    def _resolve(self, *, with_body: bool) -> None:
        prefix, _, rest = self.path.partition("/resolve/")
        revision, _, path = rest.partition("/")
        if prefix != "/UsefulSensors/moonshine":
            self._refuse(404, "RepoNotFound")
        elif revision not in ("main", COMMIT) or path not in self.server.files:
            self._refuse(404, "EntryNotFound")
        elif with_body and path in self.server.failing:
            self._refuse(500, "")
        elif with_body:
            self._send(path)
        else:
            self._describe(path, 0)

    def _describe(self, path: str, start: int) -> bytes:
        content = self.server.files[path]
        is_large = path.endswith(".ort")
        checksum = hashlib.sha256(content) if is_large else hashlib.sha1(content)
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{checksum.hexdigest()}"')
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        return content[start:]

    def _send(self, path: str) -> None:
        self.server.requests[path] += 1
        wanted = self.headers.get("Range")
        if wanted is not None:
            self.server.ranges.append(wanted)
        body = self._describe(path, 0 if wanted is None else int(wanted[len("bytes=") :].partition("-")[0]))
        if path in self.server.damaged:
            body = bytes(len(body))
        limit = self.server.breaks_once_after.pop(path, None)
        self.wfile.write(body[:limit])
        self.close_connection = limit is not None

    def _refuse(self, status: int, reason: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", reason)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf-home"))
    hub = Hub()
    thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield hub
    hub.shutdown()
    thread.join()
    hub.server_close()


def pull(hub: Hub, models_dir: Path, model: str = "base-en") -> Path:
    return pull_model(model, models_dir, lambda _: None, endpoint=hub.endpoint).directory


def test_a_pulled_model_is_whole_and_nothing_else_is_left(hub: Hub, tmp_path: Path) -> None:
    folder = pull(hub, tmp_path / "models")

    assert folder == tmp_path / "models" / "base-en"
    assert sorted(entry.name for entry in folder.iterdir()) == sorted([*FILE_NAMES, "manifest.json"])
    assert [entry.name for entry in (tmp_path / "models").iterdir()] == ["base-en"]
    for name in FILE_NAMES:
        assert (folder / name).read_bytes() == hub.files[f"{FOLDER}/{name}"]


def test_the_hub_is_not_told_what_else_is_installed_or_who_asks() -> None:
    # With it on, the library would first ask the public hub which agents there are.
    assert import_module("huggingface_hub.constants").HF_HUB_DISABLE_TELEMETRY


def test_the_manifest_records_source_revision_and_checksums(hub: Hub, tmp_path: Path) -> None:
    path = pull(hub, tmp_path) / "manifest.json"

    manifest = Manifest.parse(path.read_text(), path)

    assert (manifest.source, manifest.revision) == (f"UsefulSensors/moonshine/{FOLDER}", COMMIT)
    assert manifest.sha256 == {name: hashlib.sha256(hub.files[f"{FOLDER}/{name}"]).hexdigest() for name in FILE_NAMES}


def test_a_pulled_model_is_found_and_verified_by_its_name(hub: Hub, tmp_path: Path) -> None:
    pull(hub, tmp_path)

    assert pulled_models(tmp_path) == ["base-en"]
    assert set(find_model("base-en", tmp_path).checksums()) == set(FILE_NAMES)


def test_any_folder_of_any_repository_can_be_pulled(hub: Hub, tmp_path: Path) -> None:
    folder = pull(hub, tmp_path, f"UsefulSensors/moonshine/{FOLDER}")

    assert folder.name == "UsefulSensors--moonshine--onnx--merged--base--quantized"
    assert find_model(folder.name, tmp_path).directory == folder


def test_pulling_again_replaces_the_model(hub: Hub, tmp_path: Path) -> None:
    folder = pull(hub, tmp_path)
    hub.files[f"{FOLDER}/tokenizer.bin"] = b"another tokenizer"

    pull(hub, tmp_path)

    assert (folder / "tokenizer.bin").read_bytes() == b"another tokenizer"
    assert pulled_models(tmp_path) == ["base-en"]


def test_a_broken_connection_is_resumed_where_it_broke(hub: Hub, tmp_path: Path) -> None:
    path = f"{FOLDER}/decoder_model_merged.ort"
    piece = 10 * 1024 * 1024  # what huggingface_hub writes at a time
    hub.files[path] = bytes(range(256)) * (piece // 256 + 10)
    hub.breaks_once_after[path] = piece + 100

    folder = pull(hub, tmp_path)

    assert hub.ranges == [f"bytes={piece}-"]
    assert (folder / "decoder_model_merged.ort").read_bytes() == hub.files[path]


def test_after_a_failure_nothing_is_there_and_whole_files_are_kept_for_the_next_pull(hub: Hub, tmp_path: Path) -> None:
    hub.failing.add(f"{FOLDER}/decoder_model_merged.ort")

    with pytest.raises(DownloadError, match="pull again"):
        pull(hub, tmp_path)
    assert pulled_models(tmp_path) == []
    hub.failing.clear()
    pull(hub, tmp_path)

    assert hub.requests[f"{FOLDER}/encoder_model.ort"] == 1
    assert pulled_models(tmp_path) == ["base-en"]


def test_a_file_with_a_wrong_checksum_is_refused_and_thrown_away(hub: Hub, tmp_path: Path) -> None:
    hub.damaged.add(f"{FOLDER}/encoder_model.ort")

    with pytest.raises(ModelError, match=r"encoder_model.* arrived damaged"):
        pull(hub, tmp_path)

    assert not list(tmp_path.glob(".base-en*"))
    assert pulled_models(tmp_path) == []


def test_a_repository_that_is_not_there_is_named(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no repository nobody/nothing on the hub"):
        pull(hub, tmp_path, "nobody/nothing")


def test_a_folder_without_the_three_files_is_named(hub: Hub, tmp_path: Path) -> None:
    del hub.files[f"{FOLDER}/tokenizer.bin"]

    with pytest.raises(ModelError, match="lacks a file"):
        pull(hub, tmp_path)


def test_a_hub_that_does_not_answer_is_a_download_error(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="cannot fetch"):
        pull_model("base-en", tmp_path, lambda _: None, endpoint="http://127.0.0.1:1")


def test_a_models_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ModelError, match="cannot write to"):
        pull_model("base-en", tmp_path / "file", lambda _: None)


@pytest.mark.parametrize("model", ["nonsense", "a/../b", "a//b", "../x", "http://x/y", ""])
def test_what_is_no_model_is_refused_before_anything_is_fetched(tmp_path: Path, model: str) -> None:
    with pytest.raises(ModelError, match="no known model"):
        pull_model(model, tmp_path, lambda _: None)


def test_the_default_model_is_not_pulled_but_installed(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="moonshine-voice"):
        pull_model("tiny-en", tmp_path, lambda _: None)


def test_known_models_and_repositories_have_a_place() -> None:
    assert hub_folder("base-en") == ("base-en", HubFolder("UsefulSensors/moonshine", FOLDER))
    assert hub_folder("owner/name") == ("owner--name", HubFolder("owner/name", ""))
    assert len({model.name for model in KNOWN_MODELS}) == len(KNOWN_MODELS)
