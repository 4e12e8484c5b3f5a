"""The batch API of the same vendor: it has a v2 of its own, which stays."""

import time

import requests

BASE = "https://api.assemblyai.com/v2"
HEADERS = {"authorization": "YOUR-API-KEY"}


def transcribe(url):
    body = {"audio_url": url, "word_boost": ["Sonny"], "format_text": True}
    job = requests.post(BASE + "/transcript", json=body, headers=HEADERS).json()
    while True:
        state = requests.get(f"{BASE}/transcript/{job['id']}", headers=HEADERS).json()
        if state["status"] == "completed":
            print(state["text"], state["confidence"], [w["start"] for w in state["words"]])
            return state
        if state["status"] == "error":
            raise RuntimeError(state["error"])
        time.sleep(3)
