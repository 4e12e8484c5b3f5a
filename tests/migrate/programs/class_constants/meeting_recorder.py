"""Meeting recorder: microphone in, one line of text per utterance out."""

from __future__ import annotations

import json
import logging
import os
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Callable, List
from urllib.parse import urlencode

import pyaudio
import websocket

logging.basicConfig(level=logging.WARNING)


class Config:
    API_KEY = os.environ.get("ASSEMBLYAI_API_KEY", "YOUR-API-KEY")
    ENDPOINT = "wss://api.assemblyai.com/v2/realtime/ws"
    SAMPLE_RATE = 16000
    BUFFER = SAMPLE_RATE // 5
    WORD_BOOST: List[str] = ["Sonny"]
    SILENCE_MS = 700


@dataclass
class Utterance:
    text: str
    start: float
    end: float
    created: str


@dataclass
class Meeting:
    started: datetime = field(default_factory=datetime.now)
    utterances: List[Utterance] = field(default_factory=list)


class Recorder:
    def __init__(self, on_utterance: Callable[[Utterance], None]):
        self.meeting = Meeting()
        self.on_utterance = on_utterance
        self.audio = pyaudio.PyAudio()
        self.stream = self.audio.open(
            format=pyaudio.paInt16,
            channels=1,
            rate=Config.SAMPLE_RATE,
            frames_per_buffer=Config.BUFFER,
            input=True,
        )
        params = {"sample_rate": Config.SAMPLE_RATE, "word_boost": json.dumps(Config.WORD_BOOST)}
        self.ws = websocket.WebSocketApp(
            f"{Config.ENDPOINT}?{urlencode(params)}",
            header={"Authorization": Config.API_KEY},
            on_open=self._on_open,
            on_message=self._on_message,
            on_error=lambda ws, e: logging.error("%s", e),
            on_close=self._on_close,
        )

    def _on_open(self, ws):
        ws.send(json.dumps({"end_utterance_silence_threshold": Config.SILENCE_MS}))
        threading.Thread(target=self._pump, daemon=True).start()

    def _pump(self):
        while True:
            data = self.stream.read(Config.BUFFER, exception_on_overflow=False)
            self.ws.send(data, websocket.ABNF.OPCODE_BINARY)

    def _on_message(self, ws, message):
        event = json.loads(message)
        handler = {
            "SessionBegins": self._begin,
            "PartialTranscript": self._partial,
            "FinalTranscript": self._final,
        }.get(event.get("message_type"))
        if handler:
            handler(event)

    def _begin(self, event):
        print("recording,", event["session_id"])

    def _partial(self, event):
        if event["text"]:
            print(event["text"][-70:], end="\r")

    def _final(self, event):
        utterance = Utterance(
            text=event["text"],
            start=event["audio_start"] / 1000,
            end=event["audio_end"] / 1000,
            created=event["created"],
        )
        self.meeting.utterances.append(utterance)
        self.on_utterance(utterance)

    def _on_close(self, ws, code, reason):
        print("closed:", code, reason)

    def run(self):
        self.ws.run_forever()


if __name__ == "__main__":
    Recorder(lambda u: print(f"[{u.start:7.2f}] {u.text}")).run()
