import json, time, wave, threading, urllib.parse, ssl
import os, sys
import websocket as wsclient

KEY = os.environ.get("AAI_KEY") or os.environ["ASSEMBLYAI_API_KEY"]

SCHEME = "wss"
HOST = "api.assemblyai.com"
VERSION = "v2"
PATH = "/" + VERSION + "/realtime/ws"

RATE = 16_000
BYTES_PER_SAMPLE = 2
CHUNK_SECONDS = 0.2
CHUNK_FRAMES = int(RATE * CHUNK_SECONDS)
CHUNK_BYTES = CHUNK_FRAMES * BYTES_PER_SAMPLE

BOOST = ["Sonny", "tympan"]

query = {
    "sample_rate": RATE,
    "word_boost": json.dumps(BOOST),
    "enable_extra_session_information": "true",
}
url = f"{SCHEME}://{HOST}{PATH}" + "?" + urllib.parse.urlencode(query)

TYPE = "message_type"
PARTIAL, FINAL = "PartialTranscript", "FinalTranscript"

seconds = 0.0
done = threading.Event()


def opened(ws):
    def go():
        f = open(sys.argv[1], "rb"); f.seek(44)
        while True:
            data = f.read(CHUNK_BYTES)
            if not data: break
            ws.send(data, opcode=wsclient.ABNF.OPCODE_BINARY)
            time.sleep(CHUNK_SECONDS)
        ws.send('{"force_end_utterance": true}')
        ws.send('{"terminate_session": true}')
    threading.Thread(target=go).start()


def received(ws, raw):
    global seconds
    m = json.loads(raw)
    what = m.get(TYPE, "")
    if what == "SessionBegins":
        print("id:", m["session_id"])
    if what == PARTIAL:
        print("~ " + m["text"])
    if what == FINAL:
        words = ", ".join("%s@%d" % (w["text"], w["start"]) for w in m["words"])
        print("= " + m["text"]); print("  " + words)
    if what == "SessionInformation":
        seconds = m["audio_duration_seconds"]
    if what == "SessionTerminated":
        done.set()
        ws.close()


def failed(ws, e): print("!", e)


w = wsclient.WebSocketApp(url, header={"Authorization": KEY}, on_open=opened, on_message=received, on_error=failed)
w.run_forever()
print("%.1f s transcribed" % seconds if done.is_set() else "connection lost")
