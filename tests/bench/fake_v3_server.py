"""A tiny v3 server that hears a word in every half second of audio, whatever it holds. Runs as a program.

Word n is "word<n>" from 500 n to 500 n + 400 ms. Each is shown tentatively with its half second, and final
with the next. Every fourth word ends the turn: a raw final, then a formatted one. So does ForceEndpoint.
"""

from __future__ import annotations

import argparse
import asyncio
import http
import json
import sys
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

_BYTES_A_WORD = 16_000


def word(number: int, *, is_final: bool) -> dict[str, Any]:
    start = number * 500
    return {
        "text": f"word{number}",
        "start": start,
        "end": start + 400,
        "confidence": 1.0,
        "word_is_final": is_final,
    }


def turn(order: int, numbers: list[int], **flags: bool) -> str:
    is_end = flags.get("end_of_turn", False)
    words = [word(n, is_final=is_end or n != numbers[-1]) for n in numbers]
    message = {
        "type": "Turn",
        "turn_order": order,
        "end_of_turn": is_end,
        "turn_is_formatted": flags.get("is_formatted", False),
        "transcript": " ".join(w["text"] for w in words if w["word_is_final"]),
        "end_of_turn_confidence": 0.5,
        "words": words,
    }
    return json.dumps(message)


async def converse(socket: ServerConnection) -> None:
    await socket.send(json.dumps({"type": "Begin", "id": "x", "expires_at": 1}))
    received = heard = order = 0
    numbers: list[int] = []

    async def end_turn() -> None:
        nonlocal order
        if numbers:
            await socket.send(turn(order, numbers, end_of_turn=True))
            await socket.send(turn(order, numbers, end_of_turn=True, is_formatted=True))
            numbers.clear()
            order += 1

    async for message in socket:
        if isinstance(message, bytes):
            received += len(message)
            while (heard + 1) * _BYTES_A_WORD <= received:
                numbers.append(heard)
                heard += 1
                await socket.send(turn(order, numbers))
                if len(numbers) == 4:
                    await end_turn()
            continue
        match json.loads(message)["type"]:
            case "ForceEndpoint":
                await end_turn()
            case "Terminate":
                await end_turn()
                await socket.send(
                    json.dumps(
                        {
                            "type": "Termination",
                            "audio_duration_seconds": received // 32_000,
                            "session_duration_seconds": 0,
                        }
                    )
                )
                return
            case "Fail":
                await socket.send(json.dumps({"type": "Error", "error_code": 3005, "error": "broken"}))
                await socket.close(3005)
                return


def health(connection: ServerConnection, request: Request) -> Response | None:
    if request.path == "/v3/ws/health":
        return connection.respond(http.HTTPStatus.OK, "ok\n")
    return None


async def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("--port", "--host", "--api-key"):
        parser.add_argument(name)
    options = parser.parse_args()
    async with serve(converse, options.host, int(options.port), process_request=health, max_size=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(f"Listening on http://127.0.0.1:{port}", file=sys.stderr, flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
