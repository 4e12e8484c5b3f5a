"""A client as anybody would write it: only the address and the key name the service. Run: URL KEY FILE."""

from __future__ import annotations

import asyncio
import sys
import wave

from tympan.client import SessionParameters, connect
from tympan.wire.v3.messages import Termination, Turn


async def transcribe(url: str, key: str, path: str) -> None:
    with wave.open(path) as recording:
        parameters = SessionParameters(sample_rate=recording.getframerate(), format_turns=True)
        async with connect(url, api_key=key, parameters=parameters) as session, asyncio.TaskGroup() as tasks:

            async def send() -> None:
                while chunk := recording.readframes(recording.getframerate() // 20):
                    await session.send_audio(chunk)
                await session.terminate()

            tasks.create_task(send())
            async for event in session:
                if isinstance(event, Turn) and event.end_of_turn and event.turn_is_formatted:
                    print(f"[{event.words[0].start}-{event.words[-1].end}] {event.transcript}")
                elif isinstance(event, Termination):
                    print(f"{event.audio_duration_seconds} s")


if __name__ == "__main__":
    asyncio.run(transcribe(*sys.argv[1:4]))
