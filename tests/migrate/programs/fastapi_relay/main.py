import asyncio
import base64
import json
import logging
from typing import Any

import websockets
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from settings import settings

logger = logging.getLogger("uvicorn.error")
app = FastAPI()


def realtime_url(sample_rate: int = settings.sample_rate) -> str:
    return "{}/v2/realtime/ws?sample_rate={}".format(settings.assemblyai_host, sample_rate)


class Relay:
    def __init__(self, browser: WebSocket):
        self.browser = browser
        self.upstream: Any = None
        self.session_id = None

    async def run(self):
        async with websockets.connect(
            realtime_url(), extra_headers={"Authorization": settings.assemblyai_api_key}
        ) as upstream:
            self.upstream = upstream
            up = asyncio.create_task(self.browser_to_upstream())
            await self.upstream_to_browser()
            up.cancel()

    async def browser_to_upstream(self):
        try:
            while True:
                pcm = await self.browser.receive_bytes()
                await self.upstream.send(json.dumps({"audio_data": base64.b64encode(pcm).decode()}))
        except WebSocketDisconnect:
            await self.upstream.send(json.dumps({"terminate_session": True}))

    async def upstream_to_browser(self):
        async for raw in self.upstream:
            event = json.loads(raw)
            message_type = event.get("message_type")
            if message_type == "SessionBegins":
                self.session_id = event["session_id"]
                await self.browser.send_json({"kind": "ready", "session": self.session_id})
            elif message_type in ("PartialTranscript", "FinalTranscript"):
                if not event["text"]:
                    continue
                is_final = message_type == "FinalTranscript"
                try:
                    await self.browser.send_json({"kind": "final" if is_final else "partial", "text": event["text"]})
                except RuntimeError:  # the browser is gone
                    pass
                if is_final:
                    logger.info("%s: %s", self.session_id, event["text"])
            elif message_type == "SessionTerminated":
                return
            elif "error" in event:
                logger.error(event["error"])
                return


@app.websocket("/ws")
async def ws(browser: WebSocket):
    await browser.accept()
    await Relay(browser).run()
