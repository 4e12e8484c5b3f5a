"""Figures and the runs that they come from, and both as JSON. `bench.table` makes them readable.

A run of the benchmark may do some parts only: figures of the others are kept from the file, each with its
own date and commit.
"""

from __future__ import annotations

import datetime
import json
import math
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True, slots=True)
class Target:
    """What must be shown."""

    limit: float
    is_upper: bool = True

    def is_met(self, value: float) -> bool:
        return value <= self.limit if self.is_upper else value >= self.limit

    def __str__(self) -> str:
        return f"{'≤' if self.is_upper else '≥'} {self.limit:g}"

    @classmethod
    def parse(cls, text: str) -> Target:
        """What `str` writes."""
        sign, limit = text.split()
        return cls(float(limit), is_upper=sign == "≤")


def at_most(limit: float) -> Target:
    return Target(limit)


def at_least(limit: float) -> Target:
    return Target(limit, is_upper=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `value` None means that it couldn't be taken; `note` says why.

    `variant` names what a section tries many of; such figures make a table of their own.
    """

    section: str
    name: str
    value: float | None
    unit: str
    audio: str
    target: Target | None = None
    note: str = ""
    variant: str = ""

    @property
    def is_measured(self) -> bool:
        return self.value is not None and not math.isnan(self.value)

    @property
    def is_passed(self) -> bool | None:
        """None where there is no target. What wasn't measured doesn't pass."""
        if self.target is None:
            return None
        return self.value is not None and not math.isnan(self.value) and self.target.is_met(self.value)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where and when a part of the benchmark ran."""

    part: str
    machine: str
    cores: int
    commit: str
    date: str
    load: float
    """Load average when the part began: other work on the machine makes times worse."""
    took_s: float = 0.0
    lag_p99_ms: float = 0.0
    """How late our own sending was in the worst real-time session; 0 where nothing was sent at real time."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure and its run."""

    figure: Figure
    run: Provenance


def provenance(part: str) -> Provenance:
    """This machine, this commit, now."""
    return Provenance(
        part,
        _cpu_model(),
        os.cpu_count() or 1,
        _commit(),
        datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        psutil.getloadavg()[0],
    )


def as_json(rows: Iterable[Measured]) -> str:
    """One object a figure, each complete by itself."""
    objects = []
    for row in rows:
        figure = row.figure
        value = figure.value if figure.is_measured else None
        target = str(figure.target) if figure.target else None
        measured = {**asdict(figure), "value": value, "target": target, "met": figure.is_passed}
        objects.append({**measured, **asdict(row.run)})
    return json.dumps(objects, indent=1, ensure_ascii=False) + "\n"


def read_json(path: Path) -> list[Measured]:
    """What `as_json` wrote; nothing where there is no file.

    Raises:
        ValueError: the file is something else.
    """
    if not path.exists():
        return []
    try:
        return [_measured(row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} isn't a table of this benchmark ({error!r}): move it away") from error


def merged(kept: Sequence[Measured], new: Sequence[Measured], parts: Sequence[str]) -> list[Measured]:
    """All rows in the order of the parts; a part that ran again replaces what was kept of it."""
    ran = {row.run.part for row in new}
    rows = [row for row in kept if row.run.part in parts and row.run.part not in ran]
    return sorted([*rows, *new], key=lambda row: parts.index(row.run.part))


def _measured(row: dict[str, Any]) -> Measured:
    target = Target.parse(row["target"]) if row["target"] else None
    figure = Figure(**{**{field.name: row[field.name] for field in fields(Figure)}, "target": target})
    return Measured(figure, Provenance(**{field.name: row[field.name] for field in fields(Provenance)}))


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=10"], capture_output=True, text=True, check=False
    )
    return described.stdout.strip() or "unknown"
