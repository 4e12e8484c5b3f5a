"""Live captions in the terminal."""
import asyncio
import json
import os

import pyaudio
import websockets

RATE = 16000
CHUNK = 3200

URL = f"wss://api.assemblyai.com/v2/realtime/ws?sample_rate={RATE}"

p = pyaudio.PyAudio()
mic = p.open(format=pyaudio.paInt16, channels=1, rate=RATE, input=True, frames_per_buffer=CHUNK)


async def main():
    async with websockets.connect(
        URL,
        extra_headers={"Authorization": os.getenv("ASSEMBLYAI_API_KEY")},
        ping_interval=5,
        ping_timeout=20,
    ) as ws:
        hello = json.loads(await ws.recv())
        if hello["message_type"] != "SessionBegins":
            raise RuntimeError(hello)
        print(f"[{hello['session_id']}] listening, ctrl-c to stop")

        async def send():
            loop = asyncio.get_running_loop()
            while True:
                data = await loop.run_in_executor(None, lambda: mic.read(CHUNK, exception_on_overflow=False))
                await ws.send(data)

        async def receive():
            async for raw in ws:
                msg = json.loads(raw)
                kind = msg.get("message_type")
                if kind == "PartialTranscript" and msg["text"]:
                    print("\r" + msg["text"], end="", flush=True)
                elif kind == "FinalTranscript":
                    print("\r" + msg["text"])
                    for w in msg["words"]:
                        if w["confidence"] < 0.5:
                            print("   not sure about:", w["text"], w["start"], w["end"])
                elif kind == "SessionTerminated":
                    break

        await asyncio.gather(send(), receive())


try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("\nbye")
