"""A v2 script in the style of old tutorials: websockets, asyncio, audio as base64 in JSON. Prints every message.

python base64_script.py ADDRESS KEY FILE
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import wave

import websockets

address, key, file = sys.argv[1:4]


async def send(ws):
    with wave.open(file, "rb") as microphone:
        while audio := microphone.readframes(3200):
            await ws.send(json.dumps({"audio_data": base64.b64encode(audio).decode("utf-8")}))
            await asyncio.sleep(0.004)
    await ws.send(json.dumps({"terminate_session": True}))


async def receive(ws):
    try:
        async for message in ws:
            print(message, flush=True)
    except websockets.exceptions.ConnectionClosedError:
        pass
    print(json.dumps({"code": ws.close_code}), flush=True)


async def main():
    url = f"{address}/v2/realtime/ws?sample_rate=16000"
    async with websockets.connect(url, additional_headers={"Authorization": key}, ping_interval=5) as ws:
        await asyncio.gather(send(ws), receive(ws))


asyncio.run(main())
