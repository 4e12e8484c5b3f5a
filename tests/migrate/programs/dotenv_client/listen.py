import json
import os
import signal
import sys
import threading

import pyaudio
import websocket
from dotenv import load_dotenv

load_dotenv()

URL = os.getenv("ASSEMBLYAI_URL", "wss://api.assemblyai.com/v2/realtime/ws?sample_rate=16000")
KEY = os.getenv("ASSEMBLYAI_API_KEY")
FRAMES = int(os.getenv("FRAMES_PER_BUFFER", 3200))

pa = pyaudio.PyAudio()
mic = pa.open(pyaudio.paInt16, 1, 16000, input=True, frames_per_buffer=FRAMES)


def on_message(ws, raw):
    msg = json.loads(raw)
    t = msg.get("message_type")
    if t == "FinalTranscript":
        print("\r" + msg["text"], flush=True)
    elif t == "PartialTranscript":
        sys.stderr.write("\r" + msg["text"])


def pump(ws):
    while ws.keep_running:
        ws.send(mic.read(FRAMES, exception_on_overflow=False), websocket.ABNF.OPCODE_BINARY)


app = websocket.WebSocketApp(
    URL,
    header={"Authorization": KEY},
    on_open=lambda ws: threading.Thread(target=pump, args=(ws,), daemon=True).start(),
    on_message=on_message,
)


def stop(*_):
    app.send(json.dumps({"terminate_session": True}))
    app.close()
    sys.exit(0)


signal.signal(signal.SIGINT, stop)
app.run_forever()
