import base64
import json
import os
from threading import Thread

from flask import Flask, Response, request
from flask_sock import Sock
from websocket import ABNF, WebSocketApp

TWILIO_SAMPLE_RATE = 8000  # Hz
ENCODING = "pcm_mulaw"
TWILIO_CHUNK_BYTES = 160  # 20 ms of mulaw
# AssemblyAI wants at least 100 ms in one message
CHUNKS_PER_MESSAGE = 10

URL = f"wss://api.assemblyai.com/v2/realtime/ws?sample_rate={TWILIO_SAMPLE_RATE}&encoding={ENCODING}"

app = Flask(__name__)
sock = Sock(app)


@app.route("/voice", methods=["POST"])
def voice():
    host = request.host
    return Response(
        f"""<?xml version="1.0"?>
<Response><Connect><Stream url="wss://{host}/media" /></Connect></Response>""",
        mimetype="text/xml",
    )


def on_message(ws, message):
    data = json.loads(message)
    if "message_type" not in data:
        print("assemblyai error:", data)
        return
    if data["message_type"] == "FinalTranscript" and data["text"]:
        print("caller:", data["text"], flush=True)


def on_error(ws, error):
    print("error:", error, flush=True)


def on_close(ws, *args):
    print("transcription over", flush=True)


@sock.route("/media")
def media(twilio):
    transcriber = WebSocketApp(
        URL,
        header=[f"Authorization: {os.environ['ASSEMBLYAI_API_KEY']}"],
        on_message=on_message,
        on_error=on_error,
        on_close=on_close,
    )
    thread = Thread(target=transcriber.run_forever)
    thread.start()

    buffer = b""
    while True:
        event = json.loads(twilio.receive())
        if event["event"] == "connected":
            print("twilio connected", flush=True)
        elif event["event"] == "start":
            print("stream", event["start"]["streamSid"], flush=True)
        elif event["event"] == "media":
            buffer += base64.b64decode(event["media"]["payload"])
            if len(buffer) >= TWILIO_CHUNK_BYTES * CHUNKS_PER_MESSAGE:
                if transcriber.sock and transcriber.sock.connected:
                    transcriber.send(buffer, opcode=ABNF.OPCODE_BINARY)
                    buffer = b""
        elif event["event"] == "stop":
            transcriber.send(json.dumps({"terminate_session": True}))
            thread.join()
            break
