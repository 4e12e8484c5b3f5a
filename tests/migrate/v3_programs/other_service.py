"""Another service's protocol, which happens to use some of the same words."""

import base64
import json
import threading

import pyaudio
import websocket

FRAMES_PER_BUFFER = 3200
RATE = 16000
URL = f"wss://speech.example.com/v2/listen?sample_rate={RATE}&word_boost=x"


def on_message(ws, message):
    msg = json.loads(message)
    if msg["message_type"] == "partial":
        print(msg["text"], msg["audio_start"], msg["confidence"], msg["created"])
    elif msg["message_type"] == "hello":
        print(msg["session_id"])


def on_open(ws):
    def pump():
        stream = pyaudio.PyAudio().open(format=pyaudio.paInt16, channels=1, rate=RATE, input=True)
        while True:
            ws.send(json.dumps({"audio_data": base64.b64encode(stream.read(FRAMES_PER_BUFFER)).decode()}))

    threading.Thread(target=pump).start()


def on_close(ws, code, reason):
    ws.send(json.dumps({"type": "close"}))


websocket.WebSocketApp(URL, on_open=on_open, on_message=on_message, on_close=on_close).run_forever()
