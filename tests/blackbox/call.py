"""One connection to the service under test, and everything that came over it.

Whatever isn't as it should be ends the check with `broken`: what the protocol reference says, what came, and where.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

Message = dict[str, Any]

SEE_ERROR = "See Error message for details"
_LONGEST_SHOWN = 12
_LONGEST_ECHO = 300


def broken(says: str, came: str, call: Call | None = None) -> NoReturn:
    """The check failed. `says` begins with the section of the protocol reference."""
    where = "" if call is None else f"\nwhere: {call.story()}"
    pytest.fail(f"the reference says: {says}\ncame: {came}{where}", pytrace=False)


@dataclass(frozen=True)
class Ended:
    """How a connection ended."""

    call: Call
    code: int
    reason: str

    @property
    def messages(self) -> list[Message]:
        return self.call.messages

    def must_be(self, code: int, text: str, says: str, *, is_before_begin: bool = False) -> Message:
        """Ended by `Error` with that code and a text that begins so, then a close with the same code and the constant
        reason; no `Termination`, and no `Begin` either where the session never began."""
        types = [message.get("type") for message in self.messages]
        if not types or types[-1] != "Error":
            broken(says, f"no Error as the last message; {self}", self.call)
        error = self.messages[-1]
        came = (error.get("error_code"), str(error.get("error"))[: len(text)], self.code, self.reason)
        if came != (code, text, code, SEE_ERROR):
            expected = f"Error {code} {text!r}…, close {code} {SEE_ERROR!r}"
            broken(f"{says} ({expected})", f"Error {error.get('error_code')} {error.get('error')!r}; {self}", self.call)
        if "Termination" in types or types.count("Error") != 1:
            broken("4.5: a session that Error ends has one Error and no Termination", ", ".join(map(str, types)))
        if is_before_begin and "Begin" in types:
            broken(f"{says}, before Begin", "Begin came all the same", self.call)
        return error

    def must_be_graceful(self, says: str = "6.5: Terminate is answered by Termination and close code 1000") -> None:
        """`Termination`, nothing after it, close code 1000."""
        if not self.messages or self.messages[-1].get("type") != "Termination" or self.code != 1000:
            last = self.messages[-1] if self.messages else "nothing"
            broken(says, f"last {short(last)}; {self}", self.call)

    def __str__(self) -> str:
        return f"close code {self.code} {self.reason!r}"


@dataclass
class Call:
    """A client that reads like a conversation. `target` is shown where something is wrong and holds no key."""

    socket: ClientConnection
    target: str
    patience_s: float
    realtime_factor: float
    messages: list[Message] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def sends(self, message: Message | str | bytes) -> None:
        """A JSON object, another text, or binary. A service may have closed by then: what it said is judged later."""
        payload = json.dumps(message) if isinstance(message, dict) else message
        self.sent.append(payload if isinstance(payload, str) else f"{len(payload)} bytes")
        try:
            self.socket.send(payload)
        except ConnectionClosed:
            self.sent.append("(closed by then)")

    def plays(self, audio: bytes, *, chunk_bytes: int = 1600, bytes_per_s: int = 32_000) -> None:
        """Audio in chunks, at the pace that the service is owed."""
        began_at = time.monotonic()
        for start in range(0, len(audio), chunk_bytes):
            if self.realtime_factor:
                due_at = began_at + start / bytes_per_s / self.realtime_factor
                time.sleep(max(0.0, due_at - time.monotonic()))
            try:
                self.socket.send(audio[start : start + chunk_bytes])
            except ConnectionClosed:
                break
        self.sent.append(f"{len(audio)} bytes of audio by {chunk_bytes}")

    def plays_until_words_come(self, audio: bytes) -> int:
        """16 kHz PCM16 by 50 ms, until the service has told words of an open turn, or has closed: what it said is
        judged later. Never faster than it is owed, for no more may be sent than it needs. Returns the bytes sent."""
        sent_bytes = 0
        with suppress(ConnectionClosed):
            while sent_bytes < len(audio):
                self.socket.send(audio[sent_bytes : sent_bytes + 1600])
                sent_bytes += 1600
                if self._tells_words_within(0.05 / (self.realtime_factor or 1)):
                    break
        self.sent.append(f"{sent_bytes} bytes of audio, until words came")
        return sent_bytes

    def hears(self, says: str = "4: the service answers") -> Message:
        """The next message."""
        try:
            return self.receive()
        except TimeoutError:
            came = f"nothing for {self.patience_s:g} s"
        except ConnectionClosed:
            came = str(self._ending())
        broken(says, came, self)

    def hears_begin(self) -> Message:
        message = self.hears("4.1: Begin is the first message, at once")
        if message.get("type") != "Begin":
            broken("4.1: Begin is the first message", short(message), self)
        return message

    def hears_final(self, says: str) -> Message:
        """The next end of a turn; what comes before is kept."""
        while True:
            message = self.hears(says)
            if message.get("end_of_turn") is True:
                return message

    def hears_end(self, says: str = "4.11: the service closes") -> Ended:
        """Everything up to the close."""
        with suppress(TimeoutError):
            while True:
                try:
                    self.receive()
                except ConnectionClosed:
                    return self._ending()
        broken(says, f"the connection stays open, and nothing comes for {self.patience_s:g} s", self)

    def hears_refusal(self, says: str) -> Ended:
        """The end of a session that must not begin; one that does is told at once."""
        with suppress(TimeoutError):
            while True:
                try:
                    message = self.receive()
                except ConnectionClosed:
                    return self._ending()
                if message.get("type") == "Begin":
                    broken(says, "Begin: the session began all the same", self)
        broken(says, f"the connection stays open, and nothing comes for {self.patience_s:g} s", self)

    def ends_by(self, message: Message | str | bytes, says: str) -> Ended:
        """The end of a session that this message must end. Terminate follows, so that one that goes on is told soon."""
        self.sends(message)
        self.sends({"type": "Terminate"})
        return self.hears_end(says)

    def terminates(self) -> Ended:
        """A graceful end, which must come."""
        self.sends({"type": "Terminate"})
        ended = self.hears_end("6.5: Terminate is answered by Termination and close code 1000")
        ended.must_be_graceful()
        return ended

    def hangs_up(self) -> None:
        self.socket.close()

    def story(self) -> str:
        """What was asked for, sent and heard, in short."""
        heard = [short(message, 80) for message in self.messages]
        if len(heard) > _LONGEST_SHOWN:
            heard = [*heard[: _LONGEST_SHOWN // 2], "…", *heard[-_LONGEST_SHOWN // 2 :]]
        sent = "; ".join(short(text, 100) for text in self.sent[-6:]) or "nothing"
        return f"{self.target}\n  sent: {sent}\n  heard: " + ("\n         ".join(heard) or "nothing")

    def receive(self, patience_s: float | None = None) -> Message:
        """The next message, kept.

        Raises:
            TimeoutError: none came for so long, the call's own patience if not told otherwise.
            ConnectionClosed: none will.
        """
        payload = self.socket.recv(timeout=self.patience_s if patience_s is None else patience_s)
        try:
            message = json.loads(payload) if isinstance(payload, str) else None
        except ValueError:
            message = None
        if not isinstance(message, dict):
            self.messages.append({"type": None, "text": short(payload)})
            broken("1: the service sends JSON objects as text and nothing else", short(payload), self)
        self.messages.append(message)
        return message

    def _tells_words_within(self, patience_s: float) -> bool:
        give_up_at = time.monotonic() + patience_s
        with suppress(TimeoutError):
            while not self.receive(max(0.0, give_up_at - time.monotonic())).get("words"):
                pass
            return True
        return False

    def _ending(self) -> Ended:
        code, reason = self.socket.close_code, self.socket.close_reason
        return Ended(self, 1006 if code is None else code, reason or "")


def short(value: object, length: int = _LONGEST_ECHO) -> str:
    """A value as a message may show it."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= length else text[:length] + "…"
