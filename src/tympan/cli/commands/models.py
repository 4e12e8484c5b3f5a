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
from tympan.engines.moonshine.assets import DEFAULT_MODEL, ModelFiles
from tympan.engines.moonshine.catalog import COMMUNITY, KNOWN_MODELS, KnownModel, known_model
from tympan.engines.moonshine.pull import pull_model
from tympan.engines.moonshine.store import find_model, models_directory, pulled_models

models = typer.Typer(help="List, find, check and fetch models.", no_args_is_help=True)


class ListFormat(StrEnum):
    """How the list is written."""

    TEXT = "text"
    JSON = "json"


_Name = Annotated[str, typer.Argument(metavar="[MODEL]", help="A name from 'list', or a folder.")]


@models.command("list")
def list_models(
    output_format: Annotated[ListFormat, typer.Option("--format", help="Columns, or JSON.")] = ListFormat.TEXT,
) -> None:
    """List the models that are known or were pulled.

    Sizes of models that must be pulled are about right. Their checksums are recorded when they are pulled.
    """
    rows = [_row(model) for model in KNOWN_MODELS]
    names = {model.name for model in KNOWN_MODELS}
    rows += [_pulled_row(name) for name in pulled_models(_directory()) if name not in names]
    if output_format is ListFormat.JSON:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        typer.echo(_columns(rows))


@models.command("path")
def path(model: _Name = DEFAULT_MODEL) -> None:
    """Print the folder that holds a model's files."""
    typer.echo(find_model(model, _directory()).directory)


@models.command("verify")
def verify(
    model: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL]...",
            help="Names or folders. Without any: the default one and all that were pulled.",
        ),
    ] = None,
) -> None:
    """Check that a model's files are there and have the recorded SHA-256 checksums."""
    failures = []
    for name in model or _present_names():
        try:
            files = find_model(name, _directory())
            files.checksums()
        except ModelError as error:
            failures.append(error)
            typer.echo(f"{name}: {error}", err=True)
        else:
            typer.echo(f"{name}: {'ok' if files.expected_sha256 else 'complete, but no checksums are recorded'}")
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
    """Fetch a model from the Hugging Face hub (HF_ENDPOINT names another one).

    It goes to TYMPAN_MODELS_DIR, or to tympan/models in your data directory. The folder is printed.
    """
    known = known_model(model)
    if known is not None and known.licence == COMMUNITY:
        typer.echo(f"{model} is under the {COMMUNITY}; see https://moonshine.ai/license", err=True)
    with needs_extra("models"):
        files = pull_model(
            model,
            _directory(),
            tell=lambda line: typer.echo(line, err=True),
            endpoint=os.environ.get("HF_ENDPOINT"),
        )
    typer.echo(files.directory)


def _directory() -> Path:
    return models_directory(os.environ)


def _files(name: str) -> ModelFiles | None:
    try:
        return find_model(name, _directory())
    except ModelError:
        return None


def _present_names() -> list[str]:
    """The default model, installed or not, then those that were pulled."""
    return [DEFAULT_MODEL, *pulled_models(_directory())]


def _row(model: KnownModel) -> dict[str, object]:
    files = _files(model.name)
    return {
        "name": model.name,
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
        "language": "?",
        "size_mb": round(size_bytes / 1e6, 1),
        "licence": "see its repository",
        "is_present": files is not None,
        "is_tested": False,
        "source": name.replace("--", "/"),
        "sha256": dict(files.expected_sha256) if files is not None else {},
    }


def _columns(rows: list[dict[str, object]]) -> str:
    table = [["NAME", "LANGUAGE", "MB", "HERE", "TESTED", "SHA-256 OF THE DECODER", "LICENCE", "SOURCE"]]
    for row in rows:
        checksums = row["sha256"] if isinstance(row["sha256"], dict) else {}
        table.append(
            [
                str(row["name"]),
                str(row["language"]),
                str(row["size_mb"]),
                "yes" if row["is_present"] else "no",
                "yes" if row["is_tested"] else "no",
                str(checksums.get("decoder_model_merged.ort", "recorded by pull"))[:16],
                str(row["licence"]),
                str(row["source"]),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in table)
    return "\n".join(line.rstrip() for line in lines)
