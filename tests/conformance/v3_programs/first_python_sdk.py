"""The first official Python SDK that spoke v3, unmodified: a program as its users wrote it, that prints what it is told
as JSON lines.

    python first_python_sdk.py HOST KEY FILE [OPTIONS]

OPTIONS is a JSON object: parameters of the session, and `uses_token`, `update_at_ms` with `update`, `pace_s`.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import wave

from assemblyai.streaming.v3 import (
    StreamingClient,
    StreamingClientOptions,
    StreamingEvents,
    StreamingParameters,
    StreamingSessionParameters,
)

host, key, file = sys.argv[1:4]
options = json.loads(sys.argv[4]) if len(sys.argv) > 4 else {}
uses_token = options.pop("uses_token", False)
update_at_ms, update = options.pop("update_at_ms", None), options.pop("update", {})
pace_s = options.pop("pace_s", 0.002)


lock = threading.Lock()


def tell(event, **values):
    with lock:  # both threads of the client tell of an error
        print(json.dumps({"event": event, **values}), flush=True)


def on_turn(client, turn):
    words = [[word.text, word.start, word.end] for word in turn.words]
    event = "final" if turn.end_of_turn else "partial"
    tell(event, order=turn.turn_order, is_formatted=turn.turn_is_formatted, text=turn.transcript, words=words)


def on_end(client, end):
    tell("end", audio_s=end.audio_duration_seconds, session_s=end.session_duration_seconds)


client = StreamingClient(StreamingClientOptions(api_host=host, api_key=key))
if uses_token:
    token = client.create_temporary_token(expires_in_seconds=60, max_session_duration_seconds=120)
    client = StreamingClient(StreamingClientOptions(api_host=host, token=token))
client.on(StreamingEvents.Begin, lambda client, begin: tell("open", id=begin.id))
client.on(StreamingEvents.Turn, on_turn)
client.on(StreamingEvents.Termination, on_end)
client.on(StreamingEvents.Error, lambda client, error: tell("error", text=str(error), code=error.code))
client.connect(StreamingParameters(**{"sample_rate": 16_000, **options}))


def chunks():
    with wave.open(file, "rb") as recording:
        position_ms = 0
        while chunk := recording.readframes(1600):
            if position_ms == update_at_ms:
                client.set_params(StreamingSessionParameters(**update))
            yield chunk
            position_ms += 100
            time.sleep(pace_s)


client.stream(chunks())
client.disconnect(terminate=True)
tell("done")
