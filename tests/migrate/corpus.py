"""The programs of the corpus: how each is run, what it must print, and how far `tympan migrate fix` takes it.

Each is a folder of `programs`: a v2 program as people wrote them, never changed by hand. The score table of the
documentation is made of these rows, and the tests hold them to what happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
SENTENCE = "Hi, my name is Sonny."
"""What the scripted engine hears."""


class Run(StrEnum):
    """How a program is run, and how it is made to end."""

    UNTIL_CTRL_C = "listens to the microphone until Ctrl+C"
    TO_ITS_END = "sends a recording and ends by itself"
    FLASK = "a relay, served by Flask"
    FASTAPI = "a relay, served by uvicorn"
    TWILIO = "a telephone relay, served by Flask"
    NOTEBOOK = "a notebook, run cell by cell"
    NEVER = "not run"


class Score(StrEnum):
    """How far `fix` takes a program by itself."""

    AUTOMATIC = "automatic"
    ASSISTED = "assisted"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Program:
    """One program. `prints` is a whole line of its output, once; `before` where the v2 program's differs."""

    name: str
    style: str
    run: Run
    main: str
    prints: str = SENTENCE
    before: str | None = None
    score: Score = Score.AUTOMATIC
    remains: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return PROGRAMS / self.name


CORPUS = (
    Program(
        "guide", "the vendor's migration guide: websocket-client, a thread, globals", Run.UNTIL_CTRL_C, "microphone.py"
    ),
    Program(
        "threads_file",
        "websocket-client, base64 JSON from a WAV file, fixed sleeps",
        Run.TO_ITS_END,
        "stream_wav.py",
        prints=f"FULL TEXT: {SENTENCE}",
    ),
    Program(
        "asyncio_binary", "websockets, asyncio.gather, microphone in an executor", Run.UNTIL_CTRL_C, "live_captions.py"
    ),
    Program(
        "asyncio_base64",
        "websockets, base64 JSON, separate send and receive tasks, key in another file",
        Run.UNTIL_CTRL_C,
        "realtime.py",
    ),
    Program(
        "aiohttp_client", "aiohttp, address in two constants, match on the message type", Run.TO_ITS_END, "dictate.py"
    ),
    Program("sdk_functions", "old SDK, plain functions", Run.TO_ITS_END, "getting_started.py"),
    Program(
        "sdk_class",
        "old SDK in a class, names imported, every option and callback",
        Run.TO_ITS_END,
        "assistant.py",
        prints=f"YOU (0.90): {SENTENCE}",
    ),
    Program("sdk_microphone", "old SDK, lambdas, its MicrophoneStream", Run.UNTIL_CTRL_C, "notes.py"),
    Program(
        "token_query",
        "a temporary token by requests, create_connection with ?token=",
        Run.UNTIL_CTRL_C,
        "kiosk.py",
        prints=f"customer: {SENTENCE}",
    ),
    Program("flask_relay", "browser → Flask → service, threads", Run.FLASK, "app.py"),
    Program("fastapi_relay", "browser → FastAPI → service, tasks, settings in another file", Run.FASTAPI, "main.py"),
    Program("twilio_mulaw", "Twilio media stream, 8 kHz µ-law", Run.TWILIO, "server.py", prints=f"caller: {SENTENCE}"),
    Program("notebook", "a notebook with magics and top-level await", Run.NOTEBOOK, "transcribe.ipynb"),
    Program("dotenv_client", "address, key and buffer from .env", Run.UNTIL_CTRL_C, "listen.py"),
    Program(
        "scattered_constants",
        "constants in concatenations and f-strings, computed buffer, names of messages in variables",
        Run.TO_ITS_END,
        "captions.py",
        prints=f"= {SENTENCE}",
    ),
    Program(
        "class_constants",
        "constants in a class, handlers in a dictionary",
        Run.UNTIL_CTRL_C,
        "meeting_recorder.py",
        prints=f"[   0.10] {SENTENCE}",
    ),
    Program("settings_only", "no code: .env, YAML, TOML, JSON, Compose", Run.NEVER, ".env"),
    Program("node", "Node.js: ws and the old SDK", Run.NEVER, "index.js", score=Score.MANUAL),
    Program("browser", "TypeScript in the browser", Run.NEVER, "Captions.ts", score=Score.MANUAL),
)
