"""The AssemblyAI plugin of VideoSDK Agents, unmodified: prints what an agent would be told as JSON lines.

    python videosdk_plugin.py ADDRESS KEY FILE [OPTIONS]

OPTIONS is a JSON object: arguments of the plugin, and `turns`, `flush_at_ms`, `pace_s`. As in a room, the audio has
48 kHz and two channels, and after the recording it is silent until so many turns have ended: when the plugin hangs up,
it waits for the last words for half a second only.
"""

from __future__ import annotations

import asyncio
import json
import sys
import wave

import numpy
from videosdk.agents import SpeechEventType
from videosdk.agents.event_bus import global_event_emitter
from videosdk.plugins.assemblyai import AssemblyAISTT

address, key, file = sys.argv[1:4]
options = json.loads(sys.argv[4]) if len(sys.argv) > 4 else {}
turns, flush_at_ms, pace_s = options.pop("turns", 1), options.pop("flush_at_ms", None), options.pop("pace_s", 0.005)


def tell(event, **values):
    print(json.dumps({"event": event, **values}), flush=True)


async def main():
    left = turns

    async def on_response(response):
        nonlocal left
        tell(response.event_type.value, text=response.data.text, duration_ms=response.data.duration)
        left -= response.event_type is SpeechEventType.FINAL

    plugin = AssemblyAISTT(base_url=address, api_key=key, input_sample_rate=48_000, **options)
    plugin.on_stt_transcript(on_response)
    plugin.on("error", lambda error: tell("error", text=str(error)))
    global_event_emitter.on("speech_started", lambda *_: tell("started"))
    with wave.open(file, "rb") as recording:
        position_ms = 0
        while chunk := recording.readframes(320) or bytes(640) * (left > 0):
            if position_ms == flush_at_ms:
                await plugin.flush()
            samples = numpy.repeat(numpy.frombuffer(chunk, numpy.int16), 3 * 2)
            await plugin.process_audio(samples.tobytes())
            position_ms += 20
            await asyncio.sleep(pace_s)
    await plugin.aclose()
    tell("done")


asyncio.run(main())
