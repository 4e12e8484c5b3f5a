import asyncio
import json
import os
from urllib.parse import urlencode

import websockets

PARAMS = {"sample_rate": 16000, "format_turns": "true", "max_turn_silence": 700}
URL = "wss://streaming.assemblyai.com/v3/ws?" + urlencode(PARAMS)
BUFFER_MS = 50
BUFFER = 16000 * 2 * BUFFER_MS // 1000


async def main(source):
    headers = {"Authorization": os.environ["ASSEMBLYAI_API_KEY"]}
    async with websockets.connect(URL, additional_headers=headers) as ws:

        async def send():
            async for chunk in source(BUFFER):
                await ws.send(chunk)
            await ws.send(json.dumps({"type": "ForceEndpoint"}))
            await ws.send(json.dumps({"type": "UpdateConfiguration", "max_turn_silence": 1280}))
            await ws.send(json.dumps({"type": "Terminate"}))

        async def receive():
            async for raw in ws:
                match json.loads(raw):
                    case {"type": "Begin", "id": session_id, "expires_at": expires_at}:
                        print(session_id, expires_at)
                    case {"type": "Turn", "end_of_turn": True, "turn_is_formatted": True, "transcript": text, "words": words}:
                        print(text, words[0]["start"], words[-1]["end"], min(w["confidence"] for w in words))
                    case {"type": "Termination"}:
                        return
                    case {"type": "Error", "error_code": code, "error": text}:
                        raise RuntimeError(f"{code}: {text}")

        await asyncio.gather(send(), receive())
