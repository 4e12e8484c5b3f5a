from livekit.agents import AgentSession, JobContext, WorkerOptions, cli
from livekit.plugins import assemblyai, openai, silero


async def entrypoint(ctx: JobContext):
    await ctx.connect()
    session = AgentSession(
        stt=assemblyai.STT(
            api_key="YOUR-API-KEY",
            base_url="wss://streaming.assemblyai.com",
            sample_rate=16000,
            end_of_turn_confidence_threshold=0.4,
            min_turn_silence=400,
            max_turn_silence=1280,
            format_turns=True,
        ),
        llm=openai.LLM(model="gpt-4o-mini"),
        vad=silero.VAD.load(),
    )
    await session.start(room=ctx.room)


if __name__ == "__main__":
    cli.run_app(WorkerOptions(entrypoint_fnc=entrypoint))
