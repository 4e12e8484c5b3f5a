"""The AssemblyAI plugin of Vision Agents, unmodified but for its address, which is a constant of its module: prints
what an agent would read from it as JSON lines.

    python vision_agents_plugin.py ADDRESS KEY FILE [OPTIONS]

OPTIONS is a JSON object: arguments of the plugin, and `turns` (so many have ended before it hangs up: it waits for no
last words), `pace_s`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import wave

import numpy
from getstream.video.rtc.track_util import AudioFormat, PcmData
from vision_agents.core.edge.types import Participant
from vision_agents.core.stt.stt import Transcript
from vision_agents.core.turn_detection import TurnEnded, TurnStarted
from vision_agents.plugins import assemblyai
from vision_agents.plugins.assemblyai import stt as module

address, key, file = sys.argv[1:4]
options = json.loads(sys.argv[4]) if len(sys.argv) > 4 else {}
turns, pace_s = options.pop("turns", 1), options.pop("pace_s", 0.005)
module.WS_BASE_URL = f"{address}/v3/ws"


def tell(event, **values):
    print(json.dumps({"event": event, **values}), flush=True)


async def listen(output, ended):
    async for item in output:
        if isinstance(item, TurnStarted):
            tell("started")
        elif isinstance(item, TurnEnded):
            tell("ended")
            ended.release()
        elif isinstance(item, Transcript):
            tell("final" if item.final else "partial", text=item.text)


async def main():
    plugin = assemblyai.STT(api_key=key, **options)
    await plugin.start()
    ended = asyncio.Semaphore(0)
    listening = asyncio.create_task(listen(plugin.output, ended))
    somebody = Participant(original=None, user_id="somebody", id="somebody")
    with wave.open(file, "rb") as recording:
        while chunk := recording.readframes(960):
            samples = numpy.frombuffer(chunk, numpy.int16)
            await plugin.process_audio(PcmData(16_000, AudioFormat.S16, samples=samples, channels=1), somebody)
            await asyncio.sleep(pace_s)
    for _ in range(turns):
        await asyncio.wait_for(ended.acquire(), 60)
    await plugin.close()
    await listening
    tell("done")


asyncio.run(main())
