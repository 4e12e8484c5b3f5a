"""A relay with temporary tokens, v3 only."""

import os

import aiohttp
from aiohttp import web

HOST = os.environ.get("STT_HOST", "streaming.assemblyai.com")


async def token(request):
    async with aiohttp.ClientSession() as session:
        async with session.get(
            f"https://{HOST}/v3/token",
            params={"expires_in_seconds": 60, "max_session_duration_seconds": 3600},
            headers={"Authorization": os.environ["ASSEMBLYAI_API_KEY"]},
        ) as answer:
            return web.json_response(await answer.json())


async def relay(request):
    browser = web.WebSocketResponse()
    await browser.prepare(request)
    async with aiohttp.ClientSession() as session:
        url = f"wss://{HOST}/v3/ws?sample_rate=8000&encoding=pcm_mulaw&token={request.query['token']}"
        async with session.ws_connect(url) as upstream:
            while True:
                message = await browser.receive()
                if message.type is not aiohttp.WSMsgType.BINARY:
                    break
                await upstream.send_bytes(message.data)
            await upstream.send_json({"type": "Terminate"})
    return browser


app = web.Application()
app.add_routes([web.get("/token", token), web.get("/listen", relay)])
