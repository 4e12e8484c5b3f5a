"""The backend of the example page: it keeps the API key and gives the page tokens that are good for a minute.

    TYMPAN_API_KEY=KEY python backend.py                                  # http://localhost:8080
    TYMPAN_API_KEY=KEY TYMPAN_URL=wss://speech.example python backend.py  # another tympan

Whoever may open the page may have a token. In a program of your own, ask here who it is that wants one.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tympan.client import ClientError, mint_token

URL = os.environ.get("TYMPAN_URL", "ws://127.0.0.1:8000").rstrip("/")
API_KEY = os.environ.get("TYMPAN_API_KEY") or sys.exit("Set TYMPAN_API_KEY to a key of the server.")
PAGE = Path(__file__).with_name("page")


class Backend(SimpleHTTPRequestHandler):
    """Serves the page, and tokens at /token."""

    def do_GET(self) -> None:
        if self.path != "/token":
            super().do_GET()
            return
        try:
            token = mint_token(URL, api_key=API_KEY, expires_in_s=60, max_session_s=3600)
        except ClientError as error:
            print(f"no token: {error}", file=sys.stderr)
            self.send_error(502, "No token can be had")
            return
        answer = json.dumps({"token": token, "url": f"{URL}/v3/ws"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    with ThreadingHTTPServer(("127.0.0.1", port), partial(Backend, directory=PAGE)) as server:
        print(f"http://localhost:{server.server_port}", flush=True)
        server.serve_forever()
