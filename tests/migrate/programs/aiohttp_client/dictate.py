import argparse
import asyncio
import json
import logging
import os
from contextlib import suppress

import aiohttp

log = logging.getLogger("dictate")

BASE = "wss://api.assemblyai.com"
PATH = "/v2/realtime/ws"


async def pump(ws: aiohttp.ClientWebSocketResponse, path: str, rate: int) -> None:
    """Send raw 16-bit PCM in pieces of a fifth of a second."""
    size = rate * 2 // 5
    with open(path, "rb") as f:
        f.read(44)  # wav header
        while chunk := f.read(size):
            await ws.send_bytes(chunk)
            await asyncio.sleep(len(chunk) / (2 * rate))
    await ws.send_json({"force_end_utterance": True})
    await asyncio.sleep(2)
    await ws.send_json({"terminate_session": True})


async def dictate(path: str, rate: int, out) -> None:
    headers = {"Authorization": os.environ["ASSEMBLYAI_API_KEY"]}
    params = {"sample_rate": str(rate), "encoding": "pcm_s16le", "disable_partial_transcripts": "true"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.ws_connect(BASE + PATH, params=params, heartbeat=20) as ws:
            await ws.send_str(json.dumps({"end_utterance_silence_threshold": 500}))
            sender = None
            async for msg in ws:
                if msg.type == aiohttp.WSMsgType.TEXT:
                    event = json.loads(msg.data)
                    match event.get("message_type"):
                        case "SessionBegins":
                            log.info("session %s", event["session_id"])
                            sender = asyncio.create_task(pump(ws, path, rate))
                        case "FinalTranscript":
                            print(event["text"], file=out, flush=True)
                        case "SessionTerminated":
                            break
                        case None:
                            log.error("service: %s", event.get("error"))
                elif msg.type == aiohttp.WSMsgType.ERROR:
                    log.error("socket: %s", ws.exception())
                    break
            if sender:
                sender.cancel()
                with suppress(asyncio.CancelledError):
                    await sender


if __name__ == "__main__":
    import sys

    parser = argparse.ArgumentParser()
    parser.add_argument("wav")
    parser.add_argument("--rate", type=int, default=16000)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    asyncio.run(dictate(args.wav, args.rate, sys.stdout))
