"""A v2 script in the style of the vendor's old examples: websocket-client, a thread, binary audio.

It prints every message. Run:

python binary_script.py ADDRESS KEY FILE
"""

from __future__ import annotations

import json
import sys
import threading
import time
import wave
from urllib.parse import urlencode

import websocket

FRAMES_PER_BUFFER = 3200  # 200 ms
address, key, file = sys.argv[1:4]


def on_open(ws):
    def stream_audio():
        with wave.open(file, "rb") as microphone:
            while audio := microphone.readframes(FRAMES_PER_BUFFER):
                ws.send(audio, websocket.ABNF.OPCODE_BINARY)
                time.sleep(0.004)
        ws.send(json.dumps({"terminate_session": True}))

    threading.Thread(target=stream_audio, daemon=True).start()


def on_message(ws, message):
    print(message, flush=True)


def on_close(ws, code, reason):
    print(json.dumps({"code": code}), flush=True)


websocket.WebSocketApp(
    f"{address}/v2/realtime/ws?{urlencode({'sample_rate': 16000})}",
    header={"Authorization": key},
    on_open=on_open,
    on_message=on_message,
    on_close=on_close,
).run_forever()
