import os
import threading
import wave
from typing import List, Optional

from assemblyai import (
    AudioEncoding,
    RealtimeError,
    RealtimeFinalTranscript,
    RealtimePartialTranscript,
    RealtimeSessionInformation,
    RealtimeSessionOpened,
    RealtimeTranscriber,
    RealtimeTranscript,
)
import assemblyai as aai

aai.settings.api_key = os.environ.get("ASSEMBLYAI_API_KEY")


class VoiceAssistant:
    """Listens, and answers when the user is done talking."""

    SAMPLE_RATE = 16000

    def __init__(self, names: Optional[List[str]] = None):
        self.names = names or []
        self.heard: List[str] = []
        self.audio_seconds = 0.0
        self.transcriber: Optional[RealtimeTranscriber] = None
        self.finished = threading.Event()

    def start(self):
        self.transcriber = RealtimeTranscriber(
            sample_rate=self.SAMPLE_RATE,
            encoding=AudioEncoding.pcm_s16le,
            word_boost=self.names,
            on_data=self.on_data,
            on_error=self.on_error,
            on_open=self.on_open,
            on_close=self.on_close,
            on_extra_session_information=self.on_extra_session_information,
            end_utterance_silence_threshold=700,
        )
        self.transcriber.connect(timeout=5)

    def stop(self):
        if self.transcriber:
            self.transcriber.close()
            self.transcriber = None

    def on_open(self, session: RealtimeSessionOpened):
        print("session", session.session_id, "expires", session.expires_at.strftime("%H:%M"))

    def on_data(self, transcript: RealtimeTranscript):
        if not transcript.text:
            return
        if isinstance(transcript, RealtimePartialTranscript):
            print(transcript.text, end="\r", flush=True)
            return
        self.answer(transcript)

    def on_error(self, error: RealtimeError):
        print("oops:", error)
        self.finished.set()

    def on_close(self):
        print("closed after", self.audio_seconds, "seconds of audio")
        self.finished.set()

    def on_extra_session_information(self, info: RealtimeSessionInformation):
        self.audio_seconds = info.audio_duration_seconds

    def answer(self, transcript: RealtimeFinalTranscript):
        self.heard.append(transcript.text)
        print(f"\nYOU ({transcript.confidence:.2f}): {transcript.text}")
        last = transcript.words[-1]
        print(f"BOT: I heard {len(transcript.words)} words, the last one at {last.end} ms.")

    def play(self, path: str):
        with wave.open(path, "rb") as recording:
            while frames := recording.readframes(self.SAMPLE_RATE // 5):
                self.transcriber.stream(frames)
                self.finished.wait(0.2)
        self.transcriber.force_end_utterance()
        self.transcriber.configure_end_utterance_silence_threshold(300)


if __name__ == "__main__":
    import sys

    assistant = VoiceAssistant(["Sonny"])
    assistant.start()
    try:
        assistant.play(sys.argv[1])
    finally:
        assistant.stop()
