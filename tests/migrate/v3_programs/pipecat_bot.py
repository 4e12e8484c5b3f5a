import os

from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.pipeline.pipeline import Pipeline
from pipecat.services.assemblyai.stt import AssemblyAIConnectionParams, AssemblyAISTTService

stt = AssemblyAISTTService(
    api_key=os.getenv("ASSEMBLYAI_API_KEY"),
    api_endpoint_base_url="wss://streaming.assemblyai.com/v3/ws",
    vad_force_turn_endpoint=True,
    connection_params=AssemblyAIConnectionParams(
        sample_rate=16000, encoding="pcm_s16le", formatted_finals=True, word_finalization_max_wait_time=None
    ),
)
pipeline = Pipeline([stt])
vad = SileroVADAnalyzer()
