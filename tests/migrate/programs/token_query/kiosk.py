"""Kiosk client. The key stays with the token function, only a temporary token goes into the socket."""

import json
import os
import threading
import time

import pyaudio
import requests
import websocket

SAMPLE_RATE = 16000
CHUNK_MS = 200
CHUNK = int(SAMPLE_RATE * CHUNK_MS / 1000)


def get_token(expires_in=3600):
    r = requests.post(
        "https://api.assemblyai.com/v2/realtime/token",
        headers={"authorization": os.environ["ASSEMBLYAI_API_KEY"], "content-type": "application/json"},
        json={"expires_in": expires_in},
        timeout=10,
    )
    r.raise_for_status()
    return r.json()["token"]


token = get_token()
ws = websocket.create_connection(
    f"wss://api.assemblyai.com/v2/realtime/ws?sample_rate={SAMPLE_RATE}&token={token}"
)

running = True


def microphone():
    pa = pyaudio.PyAudio()
    stream = pa.open(format=pyaudio.paInt16, channels=1, rate=SAMPLE_RATE, input=True, frames_per_buffer=CHUNK)
    while running:
        ws.send_binary(stream.read(CHUNK, exception_on_overflow=False))
    stream.stop_stream()
    stream.close()
    pa.terminate()


thread = threading.Thread(target=microphone)
thread.start()

try:
    while True:
        message = json.loads(ws.recv())
        if message.get("error"):
            print("server says:", message["error"])
            break
        if message["message_type"] == "SessionBegins":
            print("ready")
        elif message["message_type"] == "PartialTranscript":
            pass
        elif message["message_type"] == "FinalTranscript":
            print("customer:", message["text"])
        elif message["message_type"] == "SessionTerminated":
            break
except KeyboardInterrupt:
    pass

running = False
thread.join()
ws.send(json.dumps({"terminate_session": True}))
time.sleep(2)
ws.close()
