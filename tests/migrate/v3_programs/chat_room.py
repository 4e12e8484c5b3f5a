import asyncio
import json
from datetime import datetime

import websockets

ROOMS = {}


async def serve(ws):
    session_id = str(id(ws))
    async for raw in ws:
        msg = json.loads(raw)
        text, created = msg.get("text", ""), datetime.fromtimestamp(msg["expires_at"])
        if msg["message_type"] == "join":
            ROOMS[session_id] = ws
        elif msg["message_type"] == "error":
            print("error:", msg["error"])
        else:
            for other in ROOMS.values():
                await other.send(json.dumps({"text": text, "created": str(created), "session_id": session_id}))


async def main():
    async with websockets.serve(serve, "localhost", 8765):
        while True:
            await asyncio.sleep(3600)
