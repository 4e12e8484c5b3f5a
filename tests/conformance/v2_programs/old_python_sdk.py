"""The old official Python SDK, unmodified: a program as its users wrote it, that prints what it is told as JSON lines.

    python old_python_sdk.py ADDRESS KEY FILE [OPTIONS]

OPTIONS is a JSON object: arguments of RealtimeTranscriber, and `use_token`, `wants_information`, `force_at_ms`, and
`pauses_at_ms` (nothing is said from there until an error is told).
"""

from __future__ import annotations

import json
import sys
import threading
import time
import wave

import assemblyai as aai

address, key, file = sys.argv[1:4]
options = json.loads(sys.argv[4]) if len(sys.argv) > 4 else {}
aai.settings.base_url = address
aai.settings.api_key = key
lock = threading.Lock()


def tell(event, **values):
    with lock:
        print(json.dumps({"event": event, **values}), flush=True)


def on_open(session_opened):
    tell("open", id=str(session_opened.session_id), expires_at=session_opened.expires_at.isoformat())


def on_data(transcript):
    is_final = isinstance(transcript, aai.RealtimeFinalTranscript)
    words = [[word.text, word.start, word.end] for word in transcript.words]
    tell("final" if is_final else "partial", text=transcript.text, words=words, confidence=transcript.confidence)


def on_error(error):
    tell("error", text=str(error))
    has_failed.set()


def on_information(information):
    tell("information", audio_s=information.audio_duration_seconds)


if options.pop("use_token", False):
    options["token"] = aai.RealtimeTranscriber.create_temporary_token(expires_in=60)
if options.pop("wants_information", False):
    options["on_extra_session_information"] = on_information
force_at_ms = options.pop("force_at_ms", None)
pauses_at_ms = options.pop("pauses_at_ms", None)
has_failed = threading.Event()

transcriber = aai.RealtimeTranscriber(
    sample_rate=16_000,
    on_data=on_data,
    on_error=on_error,
    on_open=on_open,
    on_close=lambda: tell("close"),
    **options,
)
transcriber.connect(timeout=60)
with wave.open(file, "rb") as recording:
    position_ms = 0
    while chunk := recording.readframes(1600):
        if position_ms == force_at_ms:
            transcriber.force_end_utterance()
        if position_ms == pauses_at_ms:
            has_failed.wait()
        transcriber.stream(chunk)
        position_ms += 100
        time.sleep(0.002)
transcriber.close()
tell("done")
