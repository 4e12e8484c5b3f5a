"""Write the documentation pages that come from code, or with --check tell which are stale.

    python scripts/generate_docs.py            write them
    python scripts/generate_docs.py --check    exit 1 if one isn't what the code says

To add a page: a line in PAGES, its path below the repository and the function that renders it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tympan.wire.v3 import reference

ROOT = Path(__file__).resolve().parent.parent
PAGES: Mapping[str, Callable[[], str]] = {"docs/reference/protocol.md": reference.render}


def stale_pages(root: Path) -> list[str]:
    """Pages that are missing or not what the code says."""
    return [page for page, render in PAGES.items() if _read(root / page) != render()]


def write_pages(root: Path) -> None:
    """Write every page."""
    for page, render in PAGES.items():
        path = root / page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(), encoding="utf-8")


def main(arguments: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """Exit code: 0 done or fresh, 1 stale."""
    parser = argparse.ArgumentParser(description="Write the documentation pages that come from code.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is stale")
    if not parser.parse_args(arguments).check:
        write_pages(root)
        return 0
    stale = stale_pages(root)
    for page in stale:
        print(f"{page} is stale: run python scripts/generate_docs.py", file=sys.stderr)
    return 1 if stale else 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
