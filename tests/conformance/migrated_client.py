"""A v3 client in the style of the vendor's migration guide: websocket-client, threads, 50 ms chunks, Terminate.

Everything is as such programs do it, but for the microphone, which reads a wave file at its own pace, and for the
patience with which it waits for the end.
Run: python migrated_client.py URL KEY FILE
"""

from __future__ import annotations

import json
import sys
import threading
import time
import wave
from datetime import datetime
from urllib.parse import urlencode

import websocket

CONNECTION_PARAMS = {"sample_rate": 16000, "format_turns": True}
FRAMES_PER_BUFFER = 800
SAMPLE_RATE = CONNECTION_PARAMS["sample_rate"]
PATIENCE_S = 60.0

stop_event = threading.Event()
microphone_is_over = threading.Event()
audio_thread = None


def on_open(ws):
    def stream_audio():
        with wave.open(sys.argv[3], "rb") as microphone:
            while not stop_event.is_set():
                audio_data = microphone.readframes(FRAMES_PER_BUFFER)
                if not audio_data:
                    break
                ws.send(audio_data, websocket.ABNF.OPCODE_BINARY)
                time.sleep(FRAMES_PER_BUFFER / SAMPLE_RATE)
        microphone_is_over.set()

    global audio_thread
    audio_thread = threading.Thread(target=stream_audio, daemon=True)
    audio_thread.start()


def on_message(ws, message):
    data = json.loads(message)
    match data.get("type"):
        case "Begin":
            print(f"Session began: ID={data['id']}, ExpiresAt={datetime.fromtimestamp(data['expires_at'])}")
        case "Turn" if data.get("turn_is_formatted", False):
            print("\r" + " " * 80 + "\r", end="")
            print(data.get("transcript", ""))
        case "Turn":
            print(f"\r{data.get('transcript', '')}", end="")
        case "Termination":
            audio, session = data["audio_duration_seconds"], data["session_duration_seconds"]
            print(f"\nSession Terminated: Audio Duration={audio}s, Session Duration={session}s")


def on_error(ws, error):
    print(f"\nWebSocket Error: {error}", file=sys.stderr)
    stop_event.set()


def on_close(ws, close_status_code, close_msg):
    print(f"\nWebSocket Disconnected: Status={close_status_code}, Msg={close_msg}")
    stop_event.set()
    if audio_thread and audio_thread.is_alive():
        audio_thread.join(timeout=PATIENCE_S)


def run():
    ws_app = websocket.WebSocketApp(
        f"{sys.argv[1]}?{urlencode(CONNECTION_PARAMS)}",
        header={"Authorization": sys.argv[2]},
        on_open=on_open,
        on_message=on_message,
        on_error=on_error,
        on_close=on_close,
    )
    ws_thread = threading.Thread(target=ws_app.run_forever, daemon=True)
    ws_thread.start()
    while ws_thread.is_alive() and not microphone_is_over.is_set():
        time.sleep(0.1)
    if ws_app.sock and ws_app.sock.connected:
        ws_app.send(json.dumps({"type": "Terminate"}))
        ws_thread.join(timeout=PATIENCE_S)
    ws_app.close()
    ws_thread.join(timeout=PATIENCE_S)


if __name__ == "__main__":
    run()
