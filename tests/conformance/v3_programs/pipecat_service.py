"""Pipecat's AssemblyAI service, unmodified, in a pipeline: prints the frames that come out as JSON lines.

    python pipecat_service.py ADDRESS KEY FILE [OPTIONS]

OPTIONS is a JSON object: settings of the service, and `follows_server` (the server finds the turns, not the pipeline's
own voice detection), `speech` (milliseconds at which that detection hears speech begin and stop, by turns), `pace_s`,
`measures` (Pipecat says how long after the end of speech it had the final that it asked for; nobody speaks on before).
"""

from __future__ import annotations

import asyncio
import json
import sys
import wave

from loguru import logger
from pipecat.frames.frames import (
    EndFrame,
    ErrorFrame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    MetricsFrame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.metrics.metrics import TTFBMetricsData
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.assemblyai.stt import AssemblyAISTTService
from pipecat.workers.runner import WorkerRunner

logger.remove()
logger.add(sys.stderr, level="WARNING")
address, key, file = sys.argv[1:4]
options = json.loads(sys.argv[4]) if len(sys.argv) > 4 else {}
follows_server = options.pop("follows_server", False)
speech = options.pop("speech", [])
pace_s = options.pop("pace_s", 0.005)
measures = options.pop("measures", False)
TOLD = {
    ErrorFrame: "error",
    InterimTranscriptionFrame: "partial",
    ProposedUserStartedSpeakingFrame: "started",
    ProposedUserStoppedSpeakingFrame: "stopped",
    TranscriptionFrame: "final",
}


def tell(event, **values):
    print(json.dumps({"event": event, **values}), flush=True)


class Ears(FrameProcessor):
    """What comes after the service in an agent."""

    def __init__(self):
        super().__init__()
        self.finals = asyncio.Semaphore(0)

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if type(frame) in TOLD:
            told = {"text": frame.error if isinstance(frame, ErrorFrame) else getattr(frame, "text", None)}
            if isinstance(frame, TranscriptionFrame):
                told["is_finalized"] = frame.finalized
                self.finals.release()
            tell(TOLD[type(frame)], **told)
        for data in frame.data if isinstance(frame, MetricsFrame) else ():
            if isinstance(data, TTFBMetricsData) and data.value > 0:
                tell("measured", after_s=data.value)
        await self.push_frame(frame, direction)


async def speak(worker, finals):
    begins, stops = speech[::2], speech[1::2]
    with wave.open(file, "rb") as recording:
        position_ms = 0
        while chunk := recording.readframes(320):
            if position_ms in begins:
                await worker.queue_frame(VADUserStartedSpeakingFrame(start_secs=0.2))
            if position_ms in stops:
                await worker.queue_frame(VADUserStoppedSpeakingFrame(stop_secs=0.2))
                if measures:
                    await asyncio.wait_for(finals.acquire(), 60)
            await worker.queue_frame(InputAudioRawFrame(chunk, 16_000, 1))
            position_ms += 20
            await asyncio.sleep(pace_s)
    await worker.queue_frame(EndFrame())


async def main():
    service = AssemblyAISTTService(
        api_key=key,
        api_endpoint_base_url=f"{address}/v3/ws",
        vad_force_turn_endpoint=not follows_server,
        settings=AssemblyAISTTService.Settings(**options),
        stt_ttfb_timeout=60,
    )
    errors, ears = Ears(), Ears()  # what goes wrong is told upstream
    worker = PipelineWorker(
        Pipeline([errors, service, ears]),
        params=PipelineParams(audio_in_sample_rate=16_000, enable_metrics=measures),
        cancel_on_idle_timeout=False,
        enable_rtvi=False,
    )
    started = asyncio.Event()
    worker.add_event_handler("on_pipeline_started", lambda worker, frame: started.set())
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    running = asyncio.create_task(runner.run())
    await asyncio.wait_for(started.wait(), 60)
    await speak(worker, ears.finals)
    await running
    tell("done")


asyncio.run(main())
