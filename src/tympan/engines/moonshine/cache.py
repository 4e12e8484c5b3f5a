"""Our graphs on disk: converted once for each model and precision, checked at every start.

Rules: an entry appears by one rename, so it is whole or absent and processes may start together; its name
holds the checksums of what it was made of, so a new model or format never meets an old entry; a damaged
entry is made again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tympan.core.errors import ModelError
from tympan.engines.moonshine.assets import ModelFiles
from tympan.engines.moonshine.convert import read_weights
from tympan.engines.moonshine.precision import Precision

GRAPH_NAMES = ("convolutions", "features", "encoder", "decoder")

_FORMAT = 2
"""Raise it whenever `graphs` or `front_end_graphs` build something else from the same weights."""

_MANIFEST = "manifest.json"
_logger = logging.getLogger("tympan.engines.moonshine")


def default_cache_dir(environment: Mapping[str, str] = os.environ, system: str = sys.platform) -> Path:
    """Where converted models go: TYMPAN_CACHE_DIR, else where the operating system wants caches."""
    if environment.get("TYMPAN_CACHE_DIR"):
        return Path(environment["TYMPAN_CACHE_DIR"])
    if system == "win32" and environment.get("LOCALAPPDATA"):
        return Path(environment["LOCALAPPDATA"]) / "tympan" / "cache"
    if system == "darwin":
        return Path.home() / "Library" / "Caches" / "tympan"
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tympan"


def cached_graphs(files: ModelFiles, cache_dir: Path, precision: Precision) -> dict[str, Path]:
    """Paths of the model's .onnx graphs by name; converts the model, in seconds, if the cache lacks them.

    Raises:
        ModelError: the model is unreadable or of an unknown kind, or the cache can't be written.
    """
    entry = cache_dir / "moonshine" / f"{files.name}-{precision}-{_key(files, precision)}"
    if entry.exists():
        problem = _problem(entry)
        if problem is None:
            return _paths(entry)
        _logger.warning("converted model %s is damaged (%s); converting again", entry, problem)
    else:
        _logger.info("converting model %s to %s, once", files.name, entry)
    try:
        _create(entry, files, precision)
    except OSError as error:
        raise ModelError(
            f"can't write the converted model to {entry}: {error.strerror}; "
            "set TYMPAN_CACHE_DIR to a folder that can be written"
        ) from error
    return _paths(entry)


def _create(entry: Path, files: ModelFiles, precision: Precision) -> None:
    # Only a conversion needs onnx, which takes time and memory to import.
    from tympan.engines.moonshine.graphs import build_graphs  # noqa: PLC0415

    entry.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="new-", dir=entry.parent) as work:
        made = Path(work) / "entry"
        made.mkdir()
        checksums = {}
        for name, content in build_graphs(read_weights(files), precision).items():
            (made / f"{name}.onnx").write_bytes(content)
            checksums[name] = hashlib.sha256(content).hexdigest()
        (made / _MANIFEST).write_text(json.dumps(checksums, indent=2), encoding="utf-8")
        if entry.exists() and _problem(entry) is not None:
            entry.rename(Path(work) / "damaged")
        try:
            made.rename(entry)
        except OSError:
            # Another process was first; its entry is as good, if it is whole.
            if _problem(entry) is not None:
                raise


def _problem(entry: Path) -> str | None:
    """What is wrong with an entry."""
    try:
        manifest = json.loads((entry / _MANIFEST).read_text(encoding="utf-8"))
        for name, path in _paths(entry).items():
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != manifest[name]:
                    return f"{path.name} differs from its checksum"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"unreadable: {error}"
    return None


def _paths(entry: Path) -> dict[str, Path]:
    return {name: entry / f"{name}.onnx" for name in GRAPH_NAMES}


def _key(files: ModelFiles, precision: Precision) -> str:
    content = json.dumps([_FORMAT, str(precision), sorted(files.checksums().items())])
    return hashlib.sha256(content.encode()).hexdigest()[:16]
