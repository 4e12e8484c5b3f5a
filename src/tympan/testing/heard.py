"""What a test double heard and said in one session, and assertions about it in the protocol's words.

The server's thread fills it in, tests read it. An assertion waits until the session is over or it holds, at most
`PATIENCE_S`; then it fails and tells what happened instead.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from tympan.core.audio import AudioFormat, Encoding
from tympan.core.units import ENGINE_SAMPLE_RATE_HZ
from tympan.script.director import is_terminate, message_type
from tympan.server.record import VANISHED
from tympan.wire.close_codes import V3_GRACEFUL

PATIENCE_S = 5.0
_POLL_S = 0.005
_CREDENTIALS = ("token", "resume_key")
_ENDINGS = ("Termination", "SessionTerminated")


class HeardSession:
    """One connection, from the upgrade on; those that are refused are here too."""

    def __init__(self, query: str, headers: Mapping[str, str]) -> None:
        self.parameters: dict[str, str] = {
            name: value for name, value in parse_qsl(query, keep_blank_values=True) if name not in _CREDENTIALS
        }
        """Of the address, as they were sent; without credentials."""
        self.headers: dict[str, str] = {name: headers[name] for name in headers if name.lower() != "authorization"}
        self.texts: list[str] = []
        """Text messages received, as they came."""
        self.said: list[dict[str, Any]] = []
        """Messages sent to the client; a malformed one is {"malformed": text}."""
        self.close_code: int | None = None
        """Of the server; 1006 where its script dropped the connection, None while it hasn't ended it."""
        self.client_close_code: int | None = None
        """Of the client; 1006 where it vanished, None while it hasn't left or where the server ended first."""
        self._audio: list[bytes] = []
        self._counted_ms = 0
        self._over = threading.Event()

    @property
    def audio(self) -> bytes:
        """Binary messages received, joined."""
        return b"".join(self._audio)

    @property
    def audio_ms(self) -> int:
        """Audio received: as the session counts it, or where it was kept from that, by the address's parameters."""
        return max(self._counted_ms, self._sent_ms())

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Control messages received; a malformed one is {"malformed": text}."""
        return [_parsed(text) for text in list(self.texts)]

    @property
    def is_over(self) -> bool:
        """One side has ended the connection."""
        return self._over.is_set()

    def assert_terminated_gracefully(self) -> None:
        """The client sent Terminate and stayed until Termination and close code 1000."""
        __tracebackhide__ = True
        self._await(lambda: False)
        if not any(is_terminate(text) for text in self.texts):
            self._fail('expected the client to send {"type": "Terminate"}')
        if not any(message.get("type", message.get("message_type")) in _ENDINGS for message in self.said):
            self._fail("expected the client to wait for Termination")
        if self.close_code != V3_GRACEFUL.code:
            self._fail("expected the session to end with close code 1000 after Termination")

    def assert_heard(self, *, ms: int, give_or_take_ms: int = 100) -> None:
        """So much audio came in all."""
        __tracebackhide__ = True
        self._await(lambda: False)
        if abs(self.audio_ms - ms) > give_or_take_ms:
            self._fail(f"expected {ms:,} ms of audio, give or take {give_or_take_ms:,} ms; got {self.audio_ms:,} ms")

    def assert_parameters(self, **expected: object) -> None:
        """These were in the address, among others; True reads `true`, a list is JSON."""
        __tracebackhide__ = True
        for name, value in expected.items():
            got = self.parameters.get(name)
            if got is None or got.lower() != _spelt(value).lower():
                came = "it isn't there" if got is None else f"got {got!r}"
                self._fail(f"expected the parameter {name}={_spelt(value)}; {came}")

    def assert_received(self, kind: str, *, times: int | None = None, **fields: object) -> None:
        """A control message of this type came, with these fields among others; `times` counts them."""
        __tracebackhide__ = True

        def found() -> list[dict[str, Any]]:
            same_type = [message for message in self.messages if message.get("type") == kind]
            return [one for one in same_type if all(one.get(name) == value for name, value in fields.items())]

        self._await(lambda: times is None and bool(found()))
        count = len(found())
        if count == 0 if times is None else count != times:
            with_fields = f" with {json.dumps(fields, default=str)}" if fields else ""
            often = "" if times is None else f" {times} times, got it {count} times"
            came = json.dumps(self.messages) if self.texts else "none"
            self._fail(f"expected the client to send {kind}{with_fields}{often}; its control messages: {came}")

    def assert_closed_with(self, code: int) -> None:
        """The server ended the connection with this code; 1006: it was dropped."""
        __tracebackhide__ = True
        self._await(lambda: self.close_code is not None)
        if self.close_code != code:
            self._fail(f"expected the server to close with {code}")

    def _sent_ms(self) -> int:
        try:
            encoding = Encoding(self.parameters.get("encoding", Encoding.PCM_S16LE))
            audio = AudioFormat(encoding, int(self.parameters.get("sample_rate", ENGINE_SAMPLE_RATE_HZ)))
            return audio.position_ms(len(self.audio))
        except (ValueError, LookupError, ArithmeticError):  # refused, or compressed
            return 0

    def _await(self, holds: Callable[[], bool]) -> None:
        give_up_at = time.monotonic() + PATIENCE_S
        while not (self._over.is_set() or holds()) and time.monotonic() < give_up_at:
            time.sleep(_POLL_S)

    def _fail(self, expected: str) -> None:
        __tracebackhide__ = True
        raise AssertionError(f"{expected}.\nWhat happened: {self._story()}")

    def _story(self) -> str:
        controls = [message_type(text) or "something else" for text in self.texts]
        heard = f"{self.audio_ms:,} ms of audio and {', '.join(controls) or 'no control message'} came"
        last = next(reversed(self.said), None)
        told = "nothing was said" if last is None else f"messages said: {len(self.said)}, the last {_brief(last)}"
        return f"{heard}; {told}; {self._ending()}."

    def _ending(self) -> str:
        if self.client_close_code is not None:
            how = "vanished" if self.client_close_code == VANISHED else f"left with close code {self.client_close_code}"
            return f"the client {how}"
        if self.close_code is None:
            return f"the connection was still open after {PATIENCE_S:g} s"
        return (
            "the connection was dropped" if self.close_code == VANISHED else f"the server closed with {self.close_code}"
        )

    # What follows is called by the server's thread.

    def heard_audio(self, payload: bytes) -> None:
        self._audio.append(payload)

    def heard_text(self, text: str) -> None:
        self.texts.append(text)

    def counted(self, received_ms: int) -> None:
        self._counted_ms = received_ms

    def told(self, text: str) -> None:
        self.said.append(_parsed(text))

    def closed(self, code: int) -> None:
        self.close_code = code
        self._over.set()

    def left(self, code: int) -> None:
        if self.close_code is None:
            self.client_close_code = code
        self._over.set()


def _parsed(text: str) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        message = None
    return message if isinstance(message, dict) else {"malformed": text}


def _spelt(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, list | tuple) else str(value)


def _brief(message: dict[str, Any]) -> str:
    kind = message.get("type", message.get("message_type", "malformed"))
    detail = message.get("transcript", message.get("error"))
    return f"{kind} {detail!r}" if isinstance(detail, str) else str(kind)
