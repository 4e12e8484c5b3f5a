"""Runs the code cells of a notebook one after the other: magics are left out, `await` may stand anywhere."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import sys
from pathlib import Path


async def run(path: Path) -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    for cell in json.loads(path.read_text())["cells"]:
        if cell["cell_type"] == "code":
            lines = "".join(cell["source"]).split("\n")
            code = "\n".join(line for line in lines if not line.startswith(("!", "%")))
            compiled = compile(code, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            result = eval(compiled, names)
            if inspect.isawaitable(result):
                await result


asyncio.run(run(Path(sys.argv[1])))
