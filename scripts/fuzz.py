"""Fuzz the doors under the guidance of coverage: `make fuzz-guided`, or this program with the names of doors.

Needs atheris, which no other target does, so it isn't in the lock file: `.venv/bin/pip install atheris` (Linux, macOS).
Each door gets `--seconds` in a process of its own, and a corpus in `--corpus` that the next run goes on from. A crash
is an input in `--corpus`/crashes: put it into `tests/fuzz/test_what_fuzzing_found.py`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("doors", nargs="*", help="parts of names; all doors without any")
    parser.add_argument("--seconds", type=int, default=20, help="for each door")
    parser.add_argument("--corpus", type=Path, default=Path(".fuzz"))
    parser.add_argument("--only", help=argparse.SUPPRESS)  # the door of this very process
    arguments = parser.parse_args()
    if arguments.only is not None:
        return _fuzz(arguments.only, arguments.corpus, arguments.seconds)
    from doors import DOORS  # noqa: PLC0415

    names = [door.name for door in DOORS if any(part in door.name for part in arguments.doors or [""])]
    failed = []
    for name in names:
        command = [sys.executable, __file__, "--only", name, "--seconds", str(arguments.seconds)]
        ended = subprocess.run(
            [*command, "--corpus", str(arguments.corpus)], capture_output=True, text=True, check=False
        )
        last = [line for line in ended.stderr.splitlines() if line.startswith(("#", "Done", "=="))][-1:]
        print(f"{'ok    ' if ended.returncode == 0 else 'FAILED'} {name}: {' '.join(last)}", flush=True)
        if ended.returncode != 0:
            failed.append(name)
            print("\n".join(ended.stderr.splitlines()[-40:]), flush=True)
    return 1 if failed else 0


def _fuzz(name: str, corpus: Path, seconds: int) -> int:
    try:
        import atheris  # type: ignore[import-not-found]  # noqa: PLC0415
    except ImportError:
        print("atheris is missing: .venv/bin/pip install atheris", file=sys.stderr)
        return 2
    with atheris.instrument_imports(include=["tympan", "tomllib", "json", "jwt", "urllib", "wave"]):
        from doors import DOORS  # noqa: PLC0415

    door = next(door for door in DOORS if door.name == name)
    mine, crashes = corpus / name.replace(" ", "-").replace("/", "-"), corpus / "crashes"
    mine.mkdir(parents=True, exist_ok=True)
    crashes.mkdir(exist_ok=True)
    for number, seed in enumerate(door.seeds):
        (mine / f"seed-{number}").write_bytes(seed)
    with TemporaryDirectory() as folder:
        options = (f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=2048", f"-artifact_prefix={crashes}/")
        atheris.Setup([sys.argv[0], str(mine), *options], lambda data: door.offer(data, Path(folder)))
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
