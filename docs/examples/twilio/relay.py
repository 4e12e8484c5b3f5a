"""Transcribes phone calls: takes Twilio's Media Streams and prints what each party says, a line a turn.

    TYMPAN_API_KEY=KEY RELAY_PATH=/a-long-secret python relay.py    # listens on 127.0.0.1:8765

Twilio sends 20 ms of 8 kHz mu-law in a message. tympan takes that encoding as it is, in messages of 50 ms and more.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from http import HTTPStatus

from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tympan.client import ClientError, Session, SessionParameters, Turn, connect

URL = os.environ.get("TYMPAN_URL", "ws://127.0.0.1:8000")
API_KEY = os.environ.get("TYMPAN_API_KEY") or sys.exit("Set TYMPAN_API_KEY to a key of the server.")
PATH = "/" + os.environ.get("RELAY_PATH", "").lstrip("/")
PORT = int(os.environ.get("RELAY_PORT", "8765"))

PARAMETERS = SessionParameters(encoding="pcm_mulaw", sample_rate=8000, format_turns=True)
CHUNK_BYTES = 50 * 8

Frames = asyncio.Queue[bytes | None]
"""One party's audio as it comes; None after the last of it."""


def heard(call_sid: str, track: str, turn: Turn) -> None:
    """What becomes of a turn. Yours to change."""
    print(f"{call_sid} {track}: {turn.transcript}", flush=True)


async def relay(twilio: ServerConnection) -> None:
    """One call, from Twilio's `start` to its `stop`: a session for each party that it sends."""
    parties: dict[str, Frames] = {}
    try:
        async with asyncio.TaskGroup() as sessions:
            with suppress(ConnectionClosed):  # without `stop`; what was said is still told
                async for text in twilio:
                    message = json.loads(text)
                    if message["event"] == "start":
                        start = message["start"]
                        for track in start["tracks"]:
                            parties[track] = Frames()
                            sessions.create_task(transcribe(start["callSid"], track, parties[track]))
                    elif message["event"] == "media":
                        media = message["media"]
                        parties[media["track"]].put_nowait(base64.b64decode(media["payload"]))
                    elif message["event"] == "stop":
                        break
            for frames in parties.values():
                frames.put_nowait(None)
    except* ClientError as failures:
        for failure in failures.exceptions:
            print(f"a call is not transcribed: {failure}", file=sys.stderr, flush=True)


async def transcribe(call_sid: str, track: str, frames: Frames) -> None:
    """One party: its audio to tympan, its turns to `heard`."""
    async with connect(URL, api_key=API_KEY, parameters=PARAMETERS) as session:
        sending = asyncio.create_task(send(session, frames))
        try:
            async for event in session:
                if isinstance(event, Turn) and event.turn_is_formatted:
                    heard(call_sid, track, event)
        finally:
            sending.cancel()


async def send(session: Session, frames: Frames) -> None:
    await session.send_from(chunks(frames))
    await session.terminate()


async def chunks(frames: Frames) -> AsyncIterator[bytes]:
    """Frames gathered to what the protocol takes; the last chunk is what is left."""
    gathered = b""
    while (frame := await frames.get()) is not None:
        gathered += frame
        if len(gathered) >= CHUNK_BYTES:
            yield gathered
            gathered = b""
    if gathered:
        yield gathered


def refuse_strangers(twilio: ServerConnection, request: Request) -> Response | None:
    """Whoever doesn't know the path isn't Twilio."""
    return None if request.path == PATH else twilio.respond(HTTPStatus.NOT_FOUND, "Nothing is here\n")


async def main() -> None:
    async with serve(relay, "127.0.0.1", PORT, process_request=refuse_strangers) as server:
        host, port = next(iter(server.sockets)).getsockname()[:2]
        print(f"Listening on ws://{host}:{port}{PATH}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
