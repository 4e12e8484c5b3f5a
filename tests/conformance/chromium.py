"""Chromium without a window, as Debian has it, with a file for a microphone; driven by its own DevTools protocol."""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

PROGRAMS = ("chromium-headless-shell", "chromium")
_LISTENING = re.compile(r"^DevTools listening on (ws://\S+)\n", re.MULTILINE)


class Browser:
    """One that runs. Its protocol: a command is answered by its number; events come in between."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []

    def obeys(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """The result of a command."""
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": parameters}
        self._line.send(json.dumps(command if session is None else command | {"sessionId": session}))
        while (message := json.loads(self._line.recv(timeout=60))).get("id") != number:
            self.events.append(message)
        assert "error" not in message, message["error"]
        result: dict[str, Any] = message["result"]
        return result

    def hears(self, is_it: Callable[[dict[str, Any]], bool]) -> None:
        """Wait for an event; it may have come."""
        while not any(map(is_it, self.events)):
            self.events.append(json.loads(self._line.recv(timeout=60)))


class Page:
    """A tab. Its microphone plays the browser's file from the beginning each time it is opened."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._target = browser.obeys("Target.createTarget", url="about:blank", width=800, height=600)["targetId"]
        self._session = browser.obeys("Target.attachToTarget", targetId=self._target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._obeys(f"{domain}.enable")
        self._obeys("Page.setLifecycleEventsEnabled", enabled=True)

    @property
    def problems(self) -> list[str]:
        """What its console has shown in yellow or red."""
        return [
            json.dumps(event["params"])
            for event in self._browser.events
            if event.get("sessionId") == self._session and _is_problem(event["method"], event["params"])
        ]

    def runs_first(self, script: str) -> None:
        """Before any script of a page that is opened later."""
        self._obeys("Page.addScriptToEvaluateOnNewDocument", source=script)

    def opens(self, url: str) -> None:
        loader = self._obeys("Page.navigate", url=url)["loaderId"]
        self._browser.hears(lambda event: _is_loaded(loader, event["method"], event["params"]))

    def says(self, expression: str) -> Any:
        """The value of an expression, as if a person had just clicked."""
        answer = self._obeys(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def waits(self, condition: str, timeout_s: float = 60) -> None:
        give_up_at_s = time.monotonic() + timeout_s
        while not self.says(condition):
            assert time.monotonic() < give_up_at_s, f"never true: {condition}; {self.says('document.body.innerText')!r}"
            time.sleep(0.05)

    def clicks(self, selector: str) -> None:
        """Where the middle of the element is, with the mouse."""
        box = f"document.querySelector({selector!r}).getBoundingClientRect()"
        x, y = self.says(f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])({box})")
        for kind in ("mousePressed", "mouseReleased"):
            self._obeys("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def photographs(self, path: Path) -> None:
        """For whoever wants to look at it."""
        path.write_bytes(base64.b64decode(self._obeys("Page.captureScreenshot")["data"]))

    def closes(self) -> None:
        self._browser.obeys("Target.closeTarget", targetId=self._target)

    def _obeys(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.obeys(method, self._session, **parameters)


def _is_loaded(loader: str, event: str, values: dict[str, Any]) -> bool:
    return event == "Page.lifecycleEvent" and (values["loaderId"], values["name"]) == (loader, "load")


def _is_problem(event: str, values: dict[str, Any]) -> bool:
    match event:
        case "Runtime.exceptionThrown":
            return True
        case "Runtime.consoleAPICalled":
            return values["type"] in ("error", "warning", "assert")
        case "Log.entryAdded":
            return values["entry"]["level"] in ("error", "warning")
        case _:
            return False


@contextmanager
def running_browser(microphone: Path, folder: Path) -> Iterator[Browser]:
    """A browser whose microphone plays this WAV file again and again. Without Chromium the test is skipped.

    A busy machine drops some of what a microphone hears; what is said again will be heard.
    """
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("Chromium isn't installed: on Debian, the package chromium-headless-shell")
    options = [
        "--headless",
        "--no-sandbox",  # which root can't have
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--ignore-certificate-errors",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}",
        f"--user-data-dir={folder / 'profile'}",
        "--remote-debugging-port=0",
    ]
    log = folder / "chromium.log"
    with log.open("wb") as told:
        # A group of its own: the program may be a script that starts the browser.
        process = subprocess.Popen([program, *options], stdout=told, stderr=told, start_new_session=True)
    try:
        address = _address(process, log)
        with connect(address, max_size=None, compression=None, proxy=None, open_timeout=60) as line:
            browser = Browser(line)
            yield browser
            browser.obeys("Browser.close")
        process.wait(60)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    give_up_at_s = time.monotonic() + 60
    while not (found := _LISTENING.search(log.read_text(errors="replace"))):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < give_up_at_s, log.read_text()
        time.sleep(0.05)
    return found[1]
