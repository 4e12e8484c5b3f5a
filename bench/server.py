"""The server under test: a subprocess, seen only through its address and its process figures."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType

import psutil

API_KEY = "bench"
COMMAND = (sys.executable, "-m", "tympan", "serve")
_ARGUMENTS = ("--port", "0", "--host", "127.0.0.1", "--api-key", API_KEY)
_LISTENING = re.compile(r"Listening on http://([\w.]+:\d+)")


class ServerFailed(Exception):
    """The server didn't start, or died."""


class Server:
    """Started on entering, ready on return, stopped on leaving.

    `startup_s` runs from the spawn of the process until its health check, `GET /v3/ws/health`, answers 200.
    """

    def __init__(
        self,
        command: Sequence[str] = COMMAND,
        *,
        environment: Mapping[str, str] | None = None,
        timeout_s: float = 120.0,
        health_path: str = "/v3/ws/health",
    ) -> None:
        self._health_path = health_path
        self._command = [*command, *_ARGUMENTS]
        self._environment = {**os.environ, **(environment or {})}
        self._timeout_s = timeout_s
        self._last_lines: deque[str] = deque(maxlen=20)
        self._host: str | None = None
        self._heard = threading.Event()
        self.startup_s = 0.0

    def __enter__(self) -> Server:
        started_s = time.perf_counter()
        self._popen = subprocess.Popen(
            self._command, env=self._environment, stderr=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL
        )
        self.process = psutil.Process(self._popen.pid)
        self._reader = threading.Thread(target=self._read_stderr, daemon=True)
        self._reader.start()
        try:
            self._wait_until_ready(started_s + self._timeout_s)
        except BaseException:
            self._stop()
            raise
        self.startup_s = time.perf_counter() - started_s
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def address(self) -> str:
        return f"ws://{self._host}"

    def kill(self) -> None:
        """End the process as a crash would; leaving still cleans up."""
        self._popen.kill()
        self._popen.wait()

    def cpu_s(self) -> float:
        """User and system time of the process and its children so far."""
        times = [process.cpu_times() for process in self._processes()]
        return sum(spent.user + spent.system for spent in times)

    def resident_mb(self) -> float:
        """Resident memory of the process and its children."""
        return sum(process.memory_info().rss for process in self._processes()) / 2**20

    def _processes(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    def _read_stderr(self) -> None:
        assert self._popen.stderr is not None
        for line in self._popen.stderr:
            self._last_lines.append(line.rstrip())
            if found := _LISTENING.search(line):
                self._host = found.group(1)
                self._heard.set()
        self._heard.set()

    def _wait_until_ready(self, until_s: float) -> None:
        self._heard.wait(max(0.0, until_s - time.perf_counter()))
        while time.perf_counter() < until_s and self._popen.poll() is None:
            if self._host is not None and self._is_healthy():
                return
            time.sleep(0.02)
        tail = " | ".join(list(self._last_lines)[-3:])
        raise ServerFailed(f"the server wasn't ready within {self._timeout_s:.0f} s: {tail or 'it said nothing'}")

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self._host}{self._health_path}", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _stop(self) -> None:
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGTERM)
            try:
                self._popen.wait(15)
            except subprocess.TimeoutExpired:
                self._popen.kill()
                self._popen.wait()
        self._reader.join(5)
        if self._popen.stderr is not None:
            self._popen.stderr.close()
