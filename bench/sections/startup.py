"""Start-up: from the spawn of the process until the health check answers 200, without and with a cache."""

from __future__ import annotations

import tempfile

from bench.context import Context
from bench.report import Figure


def run(context: Context) -> list[Figure]:
    with tempfile.TemporaryDirectory() as cache:
        with context.server(TYMPAN_CACHE_DIR=cache) as server:
            cold_s = server.startup_s
        with context.server(TYMPAN_CACHE_DIR=cache) as server:
            warm_s = server.startup_s
    return [
        Figure("startup", "cold", cold_s, "s", "", None, "empty cache: the model is converted"),
        Figure("startup", "warm", warm_s, "s", "", None, "cache filled by the cold start"),
    ]
