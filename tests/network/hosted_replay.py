"""A small server that answers as the hosted service does, from a speech track; it knows no extension of ours.

    async with HostedReplay(SpeechTrack.load("sonny")) as service:
        connect(service.url, api_key=KEY)

Plain v3: unknown parameters are ignored, a lost connection's session is gone, and the next one begins at turn 0 and
0 ms. Refusals come after the upgrade. `Behaviour` makes it a service that does something wrong.
"""

from __future__ import annotations

import asyncio
import http
import json
import ssl
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from replayed_session import U3, US, Message, Profile, ReplayedSession
from speech_track import SpeechTrack
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

KEY = "hosted-key"
SEE_MESSAGE = "See Error message for details"
_US_MODELS = ("universal-streaming-english", "universal-streaming-multilingual")
_U3_MODELS = ("u3-rt-pro", "universal-3-5-pro", "universal-3-6-pro", "universal-3-6")
_TYPES = ("UpdateConfiguration", "ForceEndpoint", "KeepAlive", "Terminate")


class Refused(Exception):
    """The session ends with an Error message and this close code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Behaviour:
    """What this service does otherwise than the hosted one; the default is nothing."""

    alter: Callable[[Message], Message | None] = lambda message: message
    """Applied to every message; None keeps it back."""
    refuse_upgrade: http.HTTPStatus | None = None
    is_silent: bool = False
    """Accepts the connection and never says a word."""
    accepts_any_key: bool = False
    close_code: int = 1000
    """After Termination."""
    closes_after_termination: bool = True
    obeys: Callable[[str], bool] = lambda message_type: True
    """Whether a client's text message of that type has any effect."""
    accepts_anything: bool = False
    """Bad parameters, bad messages and oversized chunks pass unnoticed."""
    max_audio_ms: int | None = None
    """The session ends with `end_code` when it has heard so much."""
    end_code: int = 3005


def altering(kind: str, **changes: Any) -> Behaviour:
    """Messages of that type get these values; ... removes the key."""
    return Behaviour(alter=lambda message: _changed(message, changes) if message["type"] == kind else message)


def altering_words(**changes: Any) -> Behaviour:
    """The same for the words of every Turn."""

    def alter(message: Message) -> Message:
        if message["type"] != "Turn":
            return message
        return {**message, "words": [_changed(word, changes) for word in message["words"]]}

    return Behaviour(alter=alter)


def _changed(fields: Message, changes: Message) -> Message:
    return {name: value for name, value in {**fields, **changes}.items() if value is not ...}


@dataclass
class Visit:
    """One connection, as the service saw it."""

    query: dict[str, str]
    authorization: str | None
    session: ReplayedSession | None = None
    received: list[Message] = field(default_factory=list)
    said: list[Message] = field(default_factory=list)
    close_code: int | None = None


class HostedReplay:
    """The service; it listens on a loopback port while it is entered."""

    def __init__(
        self,
        track: SpeechTrack,
        *,
        behaviour: Behaviour | None = None,
        default: Profile = US,
        keys: Iterable[str] = (KEY,),
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        self._track = track
        self._behaviour = behaviour or Behaviour()
        self._default = default
        self._keys = frozenset(keys)
        self._tls = tls
        self._wanted_port = port
        self.visits: list[Visit] = []

    async def __aenter__(self) -> HostedReplay:
        self._server: Server = await serve(
            self._converse,
            "127.0.0.1",
            self._wanted_port,
            process_request=self._answer_http,
            ssl=self._tls,
            max_size=None,
            close_timeout=1,
        )
        self.port: int = next(iter(self._server.sockets)).getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"{'ws' if self._tls is None else 'wss'}://127.0.0.1:{self.port}"

    def _answer_http(self, connection: ServerConnection, request: Request) -> Response | None:
        path = urlsplit(request.path).path
        if path == "/v3/ws/health":
            return connection.respond(http.HTTPStatus.OK, "ok\n")
        if path not in ("/v3/ws", "/v3/ws/"):
            return connection.respond(http.HTTPStatus.NOT_FOUND, "not found\n")
        if self._behaviour.refuse_upgrade is not None:
            return connection.respond(self._behaviour.refuse_upgrade, "no\n")
        return None

    async def _converse(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        query = dict(parse_qsl(urlsplit(socket.request.path).query))
        visit = Visit(query, socket.request.headers.get("Authorization"))
        self.visits.append(visit)
        try:
            if self._behaviour.is_silent:
                await socket.wait_closed()
                return
            await self._serve(socket, visit)
        except Refused as refusal:
            error = {"error_code": refusal.code, "error": str(refusal), "type": "Error"}
            await self._say(socket, visit, [error])
            await socket.close(refusal.code, SEE_MESSAGE)
        except ConnectionClosed:
            pass
        finally:
            visit.close_code = socket.close_code

    async def _serve(self, socket: ServerConnection, visit: Visit) -> None:
        loop = asyncio.get_running_loop()  # whose clock tests may choose
        started_s = loop.time()
        self._check_credential(visit)
        session = visit.session = self._open(visit.query)
        await self._say(socket, visit, [self._begin(visit.query)])
        timeout = visit.query.get("inactivity_timeout")
        while True:
            try:
                async with asyncio.timeout(None if timeout is None else int(timeout)):
                    payload = await socket.recv()
            except TimeoutError:
                text = f"Session terminated due to inactivity: No messages received for {timeout} seconds"
                raise Refused(3006, text) from None
            if isinstance(payload, bytes):
                await self._hear(socket, visit, session, payload)
                continue
            message_type = self._read(visit, payload)
            if message_type == "ForceEndpoint":
                await self._say(socket, visit, session.force_endpoint())
            elif message_type == "Terminate":
                await self._say(socket, visit, session.terminate())
                await self._say(socket, visit, [_termination(session, loop.time() - started_s)])
                if self._behaviour.closes_after_termination:
                    await socket.close(self._behaviour.close_code, "Session Ended")
                await socket.wait_closed()
                return

    async def _hear(self, socket: ServerConnection, visit: Visit, session: ReplayedSession, payload: bytes) -> None:
        rate_hz = int(visit.query.get("sample_rate", "16000"))
        duration_ms = len(payload) / 2 * 1000 / rate_hz
        if duration_ms > 1000 and not self._behaviour.accepts_anything:
            text = f"Input Duration Violation: {duration_ms:.1f} ms. Expected between 50 and 1000 ms"
            raise Refused(3007, f"Input Duration Error: {text}")
        await self._say(socket, visit, session.receive_audio(payload))
        limit_ms = self._behaviour.max_audio_ms
        if limit_ms is not None and session.received_ms >= limit_ms:
            expired = "Session Expired: Maximum session duration exceeded"
            text = expired if self._behaviour.end_code == 3008 else "Session Cancelled: An error occurred"
            raise Refused(self._behaviour.end_code, text)

    def _read(self, visit: Visit, payload: str) -> str | None:
        """The type of a text message, recorded; None when it is to have no effect."""
        invalid = "User Input Validation Error: "
        try:
            message = json.loads(payload)
            if not isinstance(message, dict) or "type" not in message:
                raise Refused(3006, invalid + "Invalid Message: expected an object with a type")
            if message["type"] not in _TYPES:
                raise Refused(3006, f"{invalid}Invalid Message Type: {message['type']}")
        except (ValueError, Refused) as error:
            if self._behaviour.accepts_anything:
                return None
            if isinstance(error, Refused):
                raise
            raise Refused(3006, f"{invalid}Invalid JSON: {error}") from None
        silence = message.get("max_turn_silence", 0)
        if type(silence) is not int and not self._behaviour.accepts_anything:
            raise Refused(3006, f"{invalid}Invalid 'max_turn_silence': Input should be a valid integer")
        visit.received.append(message)
        message_type = str(message["type"])
        if not self._behaviour.obeys(message_type):
            return None
        if message_type == "UpdateConfiguration" and message.get("format_turns") is not None and visit.session:
            visit.session.format_turns = bool(message["format_turns"])
        return message_type

    def _check_credential(self, visit: Visit) -> None:
        shown = visit.authorization or visit.query.get("token")
        if self._behaviour.accepts_any_key or shown in self._keys:
            return
        why = "Missing Authorization header" if shown is None else "Invalid API key"
        raise Refused(1008, f"Unauthorized Connection: {why}")

    def _open(self, query: dict[str, str]) -> ReplayedSession:
        rate = query.get("sample_rate", "16000")
        if not self._behaviour.accepts_anything:
            invalid = "User Input Validation Error: Invalid"
            if not rate.isdecimal():
                raise Refused(3006, f"{invalid} 'sample_rate': Input should be a valid integer")
            if not 8000 <= int(rate) <= 96_000:
                raise Refused(3006, f"{invalid} 'sample_rate': sample_rate must be at least 8,000 Hz")
            if query.get("encoding", "pcm_s16le") not in ("pcm_s16le", "pcm_mulaw"):
                raise Refused(3006, f"{invalid} 'encoding': '{query['encoding']}' is not a valid Encoding")
        return ReplayedSession(
            self._track,
            self._profile(query),
            rate_hz=int(rate) if rate.isdecimal() else 16_000,
            format_turns=query.get("format_turns", "").lower() in ("true", "1", "yes"),
            has_partials=query.get("include_partial_turns", "true").lower() in ("true", "1", "yes"),
        )

    def _profile(self, query: dict[str, str]) -> Profile:
        model = query.get("speech_model")
        if model is None or (self._behaviour.accepts_anything and model not in _US_MODELS + _U3_MODELS):
            return self._default
        if model not in _US_MODELS + _U3_MODELS:
            allowed = ", ".join(_US_MODELS + _U3_MODELS)
            raise Refused(3006, f"User Input Validation Error: Invalid 'speech_model': expected one of {allowed}")
        return Profile(model, is_u3=model in _U3_MODELS, mode="balanced" if model in _U3_MODELS else None)

    def _begin(self, query: dict[str, str]) -> Message:
        profile = self._profile(query)
        return {
            "id": str(uuid.uuid4()),
            "expires_at": int(time.time()) + 10_800,
            "configuration": {
                "model": profile.model,
                "mode": profile.mode,
                "api_version": "2025-05-12",
                "speaker_labels": None,
                "redact_pii": None,
                "filter_profanity": None,
                "domain": None,
                "voice_focus": None,
            },
            "type": "Begin",
        }

    async def _say(self, socket: ServerConnection, visit: Visit, messages: Iterable[Message]) -> None:
        for message in messages:
            altered = self._behaviour.alter(message)
            if altered is not None:
                visit.said.append(altered)
                await socket.send(json.dumps(altered))


def _termination(session: ReplayedSession, session_s: float) -> Message:
    return {
        "audio_duration_seconds": round(session.received_ms / 1000),
        "session_duration_seconds": round(session_s),
        "type": "Termination",
    }


__all__ = ["KEY", "U3", "US", "Behaviour", "HostedReplay", "Refused", "Visit"]
