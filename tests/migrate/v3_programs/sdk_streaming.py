"""The official SDK's streaming client, as its documentation shows it."""

import logging
from typing import Type

import assemblyai as aai
import pyaudio
from assemblyai.streaming.v3 import (
    BeginEvent,
    StreamingClient,
    StreamingClientOptions,
    StreamingError,
    StreamingEvents,
    StreamingParameters,
    StreamingSessionParameters,
    TerminationEvent,
    TurnEvent,
)

api_key = "YOUR-API-KEY"
logging.basicConfig(level=logging.INFO)


def on_begin(self: Type[StreamingClient], event: BeginEvent):
    print(f"Session started: {event.id}, until {event.expires_at}")


def on_turn(self: Type[StreamingClient], event: TurnEvent):
    print(f"{event.transcript} ({event.end_of_turn})")
    if event.words:
        print(event.words[0].text, event.words[0].start, event.words[0].confidence)
    if event.end_of_turn and not event.turn_is_formatted:
        self.set_params(StreamingSessionParameters(format_turns=True))


def on_terminated(self: Type[StreamingClient], event: TerminationEvent):
    print(f"Session terminated: {event.audio_duration_seconds} seconds of audio processed")


def on_error(self: Type[StreamingClient], error: StreamingError):
    print(f"Error occurred: {error}", error.code)


def microphone(rate, frames):
    pa = pyaudio.PyAudio()
    stream = pa.open(format=pyaudio.paInt16, channels=1, rate=rate, input=True, frames_per_buffer=frames)
    try:
        while True:
            yield stream.read(frames, exception_on_overflow=False)
    finally:
        stream.close()
        pa.terminate()


def main():
    client = StreamingClient(StreamingClientOptions(api_key=api_key, api_host="streaming.assemblyai.com"))
    client.on(StreamingEvents.Begin, on_begin)
    client.on(StreamingEvents.Turn, on_turn)
    client.on(StreamingEvents.Termination, on_terminated)
    client.on(StreamingEvents.Error, on_error)
    client.connect(StreamingParameters(sample_rate=16000, format_turns=True, keyterms_prompt=["Sonny"]))
    try:
        client.stream(microphone(16000, 800))
    finally:
        client.disconnect(terminate=True)


def summary(path):
    """The batch API is another one, and stays."""
    aai.settings.api_key = api_key
    config = aai.TranscriptionConfig(word_boost=["Sonny"], boost_param="high", speaker_labels=True)
    transcript = aai.Transcriber().transcribe(path, config)
    return transcript.text, transcript.confidence, transcript.audio_duration


if __name__ == "__main__":
    main()
