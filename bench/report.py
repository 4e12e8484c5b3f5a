"""Figures, and the one table that they make: Markdown for people, JSON for comparison."""

from __future__ import annotations

import datetime
import json
import math
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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


def at_most(limit: float) -> Target:
    return Target(limit)


def at_least(limit: float) -> Target:
    return Target(limit, is_upper=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `value` None means that it couldn't be taken; `note` says why."""

    section: str
    name: str
    value: float | None
    unit: str
    audio: str
    target: Target | None = None
    note: str = ""

    @property
    def is_passed(self) -> bool | None:
        """None where there is no target or nothing was measured without one."""
        if self.target is None:
            return None
        return self.value is not None and not math.isnan(self.value) and self.target.is_met(self.value)


@dataclass(frozen=True, slots=True)
class Provenance:
    """What every figure of a run has in common."""

    machine: str
    cores: int
    commit: str
    date: str
    load: float
    """Load average when the run began: other work on the machine makes times worse."""


def provenance() -> Provenance:
    """This machine, this commit, now."""
    return Provenance(
        _cpu_model(),
        os.cpu_count() or 1,
        _commit(),
        datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        psutil.getloadavg()[0],
    )


def markdown(figures: Sequence[Figure], origin: Provenance) -> str:
    """The table."""
    lines = [
        "# Benchmark",
        "",
        f"Machine: {origin.machine}, {origin.cores} cores, load average {origin.load:.1f} at the start. "
        f"Commit: {origin.commit}. Date: {origin.date}.",
        "",
        "| section | figure | value | target | met | audio | note |",
        "| --- | --- | ---: | --- | --- | --- | --- |",
    ]
    marks = {None: "", True: "yes", False: "**no**"}
    for figure in figures:
        cells = [
            figure.section,
            figure.name,
            _value(figure),
            str(figure.target or ""),
            marks[figure.is_passed],
            figure.audio,
            figure.note,
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def as_json(figures: Sequence[Figure], origin: Provenance) -> str:
    """The same, one object a figure, each complete by itself."""
    rows = [
        {
            "section": figure.section,
            "name": figure.name,
            "value": None if figure.value is None or math.isnan(figure.value) else figure.value,
            "unit": figure.unit,
            "target": str(figure.target) if figure.target else None,
            "met": figure.is_passed,
            "audio": figure.audio,
            "note": figure.note,
            "machine": origin.machine,
            "cores": origin.cores,
            "commit": origin.commit,
            "date": origin.date,
            "load": origin.load,
        }
        for figure in figures
    ]
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def write(directory: Path, figures: Sequence[Figure], origin: Provenance) -> None:
    """Write `bench.md` and `bench.json`; called after every section, so that nothing is lost."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "bench.md").write_text(markdown(figures, origin), encoding="utf-8")
    (directory / "bench.json").write_text(as_json(figures, origin), encoding="utf-8")


def _value(figure: Figure) -> str:
    if figure.value is None or math.isnan(figure.value):
        return "–"
    digits = 0 if figure.value == int(figure.value) else 2 if abs(figure.value) < 100 else 1
    return f"{figure.value:.{digits}f} {figure.unit}".strip()


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
