"""Browser -> this server -> AssemblyAI. Run with: flask run"""
import json
import os
import threading

import websocket
from flask import Flask, render_template_string
from flask_sock import Sock

app = Flask(__name__)
sock = Sock(app)

AAI_KEY = os.environ["ASSEMBLYAI_API_KEY"]
AAI_URL = "wss://api.assemblyai.com/v2/realtime/ws?sample_rate=16000"

PAGE = """
<!doctype html>
<title>dictation</title>
<p id="text"></p>
<script>
  const socket = new WebSocket(`ws://${location.host}/listen`)
  socket.onmessage = (event) => { document.getElementById('text').innerText = event.data }
  navigator.mediaDevices.getUserMedia({ audio: true }).then((media) => { /* worklet.js sends PCM */ })
</script>
"""


@app.route("/")
def index():
    return render_template_string(PAGE)


@sock.route("/listen")
def listen(browser):
    upstream = websocket.create_connection(AAI_URL, header={"Authorization": AAI_KEY})
    begin = json.loads(upstream.recv())
    if begin.get("message_type") != "SessionBegins":
        browser.send("Could not start: " + begin.get("error", "?"))
        return
    app.logger.warning("session %s started", begin["session_id"])

    def downstream():
        finals = []
        while True:
            try:
                raw = upstream.recv()
            except websocket.WebSocketConnectionClosedException:
                break
            if not raw:
                break
            data = json.loads(raw)
            if data["message_type"] == "PartialTranscript":
                browser.send(" ".join(finals + [data["text"]]))
            elif data["message_type"] == "FinalTranscript":
                finals.append(data["text"])
                browser.send(" ".join(finals))
            elif data["message_type"] == "SessionTerminated":
                break

    threading.Thread(target=downstream).start()

    while True:
        chunk = browser.receive()
        if chunk is None or chunk == "stop":
            upstream.send(json.dumps({"terminate_session": True}))
            break
        upstream.send_binary(chunk)
