"""A test double that runs: its address, what it will say, what goes wrong, what it heard, and assertions."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tympan.core.errors import ScriptError, UsageError
from tympan.engines.scripted import ScriptedRecognizer
from tympan.script.format import parse_programme
from tympan.script.programme import Programme
from tympan.server.stage import Stage, Witness
from tympan.testing.draft import SOURCE, Draft
from tympan.testing.heard import PATIENCE_S, HeardSession
from tympan.testing.running import RunningServer

API_KEY = "tympan-test-key"


class DoubleServer:
    """A scripted server; it runs while it is entered. A `strict` one refuses what the hosted service refuses.

    What `says`, `closes` and the like describe is played by the next session, and by those after it; `then` begins to
    describe the session after that. What is described once a session has begun is for a new programme.
    """

    api_key = API_KEY
    """The only one that it accepts."""

    def __init__(self, script: str | Path | None = None, *, strict: bool = False) -> None:
        self._is_strict = strict
        self._recognizer = ScriptedRecognizer(Programme())
        self._player = self._recognizer.player
        self._draft: Draft | None = Draft()  # None while a whole script waits
        self._running: RunningServer | None = None
        self.sessions: list[HeardSession] = []
        """All connections so far, in order."""
        if script is not None:
            self.plays(script)

    def __enter__(self) -> Self:
        stage = Stage(self._player, self._witness)
        self._running = RunningServer(self._recognizer, stage, self.api_key, is_strict=self._is_strict)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._running is not None:
            self._running.stop()

    @property
    def url(self) -> str:
        """Where clients connect: `ws://HOST:PORT`, without a path."""
        return f"ws://{self._address}"

    @property
    def http_url(self) -> str:
        """The same for tokens and health."""
        return f"http://{self._address}"

    @property
    def host(self) -> str:
        """Host and port, for clients that put together an address of their own."""
        return self._address

    def plays(self, script: str | Path) -> None:
        """Play a whole script from now on: a file, `.toml` or `.json`, or the script itself as a text.

        Raises:
            ScriptError: the file can't be read, or it is no script.
        """
        if isinstance(script, str) and not script.endswith((".toml", ".json")):
            programme = parse_programme(script, SOURCE)
        else:
            programme = parse_programme(_read(Path(script)), str(script))
        self._draft = None
        self._player.replace(programme)

    def says(self, text: str, **turn: Any) -> None:
        """A turn is spoken; `start_ms`, `pause_ms`, … as in a script.

        Raises:
            ScriptError: it can't be; so with everything that is described.
        """
        self._describe("turns", {"text": text, **turn})

    def closes(self, code: int, **moment: Any) -> None:
        """Close with this code at `at`, `after_audio_ms` or `after_messages`; `error` is the text of the message."""
        self._describe("faults", {"close": code, **moment})

    def drops(self, **moment: Any) -> None:
        """Cut the connection, without a close."""
        self._describe("faults", {"drop": True, **moment})

    def delays(self, ms: int, **moment: Any) -> None:
        """Say nothing for so long, in real time; without a moment `Begin` is late."""
        self._describe("faults", {"delay_ms": ms, **(moment or {"at": "begin"})})

    def sends(self, text: str, **moment: Any) -> None:
        """Send this text, however malformed."""
        self._describe("faults", {"send": text, **moment})

    def falls_silent(self, **moment: Any) -> None:
        """Say nothing any more and keep the connection open; without a moment, from the beginning."""
        self._describe("faults", {"silent": True, **(moment or {"at": "begin"})})

    def shows_partials(self, *, every_ms: int) -> None:
        """Words appear only at multiples of this."""
        draft = self._open_draft()
        draft.set("partial_every_ms", every_ms)
        self._player.replace(draft.programme)

    def then(self) -> None:
        """What is described from now on is for the session after the one described so far."""
        draft = self._open_draft()
        draft.begin_session()
        self._player.replace(draft.programme)

    @property
    def session(self) -> HeardSession:
        """The latest connection; waits for the first one.

        Raises:
            AssertionError: none came.
        """
        give_up_at = time.monotonic() + PATIENCE_S
        while not self.sessions and time.monotonic() < give_up_at:
            time.sleep(0.005)
        if not self.sessions:
            raise AssertionError(f"expected a client to connect to {self.url}; none came within {PATIENCE_S:g} s")
        return self.sessions[-1]

    def assert_terminated_gracefully(self) -> None:
        """The latest client sent Terminate and stayed until Termination and close code 1000."""
        __tracebackhide__ = True
        self.session.assert_terminated_gracefully()

    def assert_heard(self, *, ms: int, give_or_take_ms: int = 100) -> None:
        """The latest client sent so much audio."""
        __tracebackhide__ = True
        self.session.assert_heard(ms=ms, give_or_take_ms=give_or_take_ms)

    def assert_parameters(self, **expected: object) -> None:
        """The latest client connected with these parameters, among others."""
        __tracebackhide__ = True
        self.session.assert_parameters(**expected)

    def assert_received(self, kind: str, *, times: int | None = None, **fields: object) -> None:
        """The latest client sent a control message of this type, with these fields among others."""
        __tracebackhide__ = True
        self.session.assert_received(kind, times=times, **fields)

    def assert_closed_with(self, code: int) -> None:
        """This server closed the latest connection with this code."""
        __tracebackhide__ = True
        self.session.assert_closed_with(code)

    def assert_connections(self, count: int) -> None:
        """So many came in all, those that were refused included."""
        __tracebackhide__ = True
        if len(self.sessions) != count:
            raise AssertionError(f"expected {count} connections, got {len(self.sessions)}")

    @property
    def _address(self) -> str:
        if self._running is None:
            raise RuntimeError("the test double doesn't run: use it as 'with DoubleServer() as server:'")
        return self._running.address

    def _describe(self, table: str, line: dict[str, Any]) -> None:
        draft = self._open_draft()
        draft.add(table, line)
        self._player.replace(draft.programme)

    def _open_draft(self) -> Draft:
        if self._player.has_begun:
            self._draft = Draft()
        if self._draft is None:
            raise UsageError("a whole script is waiting to be played: what else shall happen belongs into it")
        return self._draft

    def _witness(self, query: str, headers: Mapping[str, str]) -> Witness:
        session = HeardSession(query, headers)
        self.sessions.append(session)
        return session


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:  # no path, or no text
        raise ScriptError(f"cannot read the script {path}: {error}") from error
