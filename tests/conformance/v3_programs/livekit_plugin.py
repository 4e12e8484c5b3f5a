"""The AssemblyAI plugin of LiveKit Agents, unmodified: prints the speech events that an agent would act on as JSON
lines.

    python livekit_plugin.py ADDRESS KEY FILE [OPTIONS]

OPTIONS is a JSON object: arguments of the plugin, and `reply` (what the agent says, after `reply_at_ms`), `pace_s`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import wave

import aiohttp
from livekit import rtc
from livekit.plugins import assemblyai

address, key, file = sys.argv[1:4]
options = json.loads(sys.argv[4]) if len(sys.argv) > 4 else {}
reply, reply_at_ms = options.pop("reply", None), options.pop("reply_at_ms", None)
pace_s = options.pop("pace_s", 0.005)


def tell(event, **values):
    print(json.dumps({"event": event, **values}), flush=True)


async def speak(stream):
    with wave.open(file, "rb") as recording:
        position_ms = 0
        while chunk := recording.readframes(1600):
            if position_ms == reply_at_ms:
                stream.update_options(agent_context=reply)
            stream.push_frame(rtc.AudioFrame(chunk, 16_000, 1, len(chunk) // 2))
            position_ms += 100
            await asyncio.sleep(pace_s)
    stream.end_input()


async def main():
    async with aiohttp.ClientSession() as session:
        plugin = assemblyai.STT(base_url=address, api_key=key, http_session=session, **options)
        plugin.on("error", lambda error: tell("error", text=str(error.error)))
        async with plugin.stream() as stream:
            speaking = asyncio.create_task(speak(stream))
            async for event in stream:
                told = event.alternatives[0] if event.alternatives else None
                words = [[str(word), word.start_time, word.end_time] for word in (told.words or [])] if told else []
                tell(event.type.value, text=told.text if told else None, words=words)
            await speaking
    tell("done")


asyncio.run(main())
