import asyncio
import contextlib

from assemblyai.streaming.v3 import (
    AsyncRealTimeTranscriber,
    RealTimeEvents,
    RealTimeParameters,
    RealTimeTranscriberOptions,
)


async def on_turn(client, turn):
    if turn.end_of_turn and turn.turn_is_formatted:
        print(turn.transcript, flush=True)


async def main(chunks):
    async with AsyncRealTimeTranscriber(RealTimeTranscriberOptions(api_key="YOUR-API-KEY")) as transcriber:
        transcriber.on(RealTimeEvents.Turn, on_turn)
        await transcriber.connect(RealTimeParameters(sample_rate=16_000, format_turns=True))
        async for chunk in chunks:
            await transcriber.stream(chunk)
        await transcriber.force_endpoint()
        with contextlib.suppress(asyncio.TimeoutError):
            await transcriber.disconnect(terminate=True)
