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
    """One program. `prints` is a whole line of its output, once, before and after.

    `remains`: rules that still find something after a safe fix; `needs_unsafe`: only what `fix --unsafe` makes of it
    runs. `to_do`: what a person has to do, for the score table.
    """

    name: str
    style: str
    run: Run
    main: str
    prints: str = SENTENCE
    score: Score = Score.AUTOMATIC
    remains: tuple[str, ...] = ()
    needs_unsafe: bool = False
    to_do: str = ""

    @property
    def folder(self) -> Path:
        return PROGRAMS / self.name


_END = "send Terminate where the program is over"

CORPUS = (
    Program("guide", "The vendor's migration guide: websocket-client, a thread", Run.UNTIL_CTRL_C, "microphone.py"),
    Program(
        "threads_file",
        "websocket-client, base64 JSON from a WAV file, fixed pauses",
        Run.TO_ITS_END,
        "stream_wav.py",
        prints=f"FULL TEXT: {SENTENCE}",
    ),
    Program(
        "asyncio_binary",
        "websockets, `asyncio.gather`, microphone in an executor",
        Run.UNTIL_CTRL_C,
        "live_captions.py",
        score=Score.ASSISTED,
        remains=("TM016",),
        to_do=_END,
    ),
    Program(
        "asyncio_base64",
        "websockets, base64 JSON, tasks that send and receive, key in another file",
        Run.UNTIL_CTRL_C,
        "realtime.py",
        score=Score.ASSISTED,
        remains=("TM016",),
        to_do=_END,
    ),
    Program("aiohttp_client", "aiohttp, address in two constants, `match`", Run.TO_ITS_END, "dictate.py"),
    Program("sdk_functions", "Old SDK, plain functions", Run.TO_ITS_END, "getting_started.py"),
    Program(
        "sdk_class",
        "Old SDK in a class, every option and callback",
        Run.TO_ITS_END,
        "assistant.py",
        prints=f"YOU (0.90): {SENTENCE}",
    ),
    Program("sdk_microphone", "Old SDK, lambdas, its `MicrophoneStream`", Run.UNTIL_CTRL_C, "notes.py"),
    Program(
        "token_query",
        "Temporary token by requests, `create_connection` with `?token=`",
        Run.UNTIL_CTRL_C,
        "kiosk.py",
        prints=f"customer: {SENTENCE}",
        score=Score.ASSISTED,
        remains=("TM016",),
        to_do="wait for the last words instead of two seconds",
    ),
    Program("flask_relay", "Browser, Flask, service; threads", Run.FLASK, "app.py"),
    Program("fastapi_relay", "Browser, FastAPI, service; tasks, settings in another file", Run.FASTAPI, "main.py"),
    Program("twilio_mulaw", "Twilio, 8 kHz µ-law", Run.TWILIO, "server.py", prints=f"caller: {SENTENCE}"),
    Program("notebook", "Notebook with magics and `await` in cells", Run.NOTEBOOK, "transcribe.ipynb"),
    Program(
        "dotenv_client",
        "Address, key and buffer from `.env`",
        Run.UNTIL_CTRL_C,
        "listen.py",
        score=Score.ASSISTED,
        remains=("TM015", "TM051"),
        to_do="release the microphone; shorten the buffer in `.env`",
    ),
    Program(
        "scattered_constants",
        "Constants in concatenations, computed buffer, message types in variables",
        Run.TO_ITS_END,
        "captions.py",
        prints=f"= {SENTENCE}",
    ),
    Program(
        "class_constants",
        "Constants in a class, functions in a table by message type",
        Run.UNTIL_CTRL_C,
        "meeting_recorder.py",
        prints=f"[   0.10] {SENTENCE}",
        score=Score.ASSISTED,
        remains=("TM009", "TM015"),
        needs_unsafe=True,
        to_do="nothing after `--unsafe` but a look: `created` is the time of arrival",
    ),
    Program(
        "settings_only",
        "No code: `.env`, YAML, TOML, JSON, Compose",
        Run.NEVER,
        ".env",
        score=Score.ASSISTED,
        remains=("TM050", "TM051"),
        to_do="the token's address (`--unsafe`), and the names that the program reads",
    ),
    Program(
        "node",
        "Node.js: ws, and the old SDK",
        Run.NEVER,
        "index.js",
        score=Score.MANUAL,
        remains=("TM060", "TM061", "TM062"),
        to_do="all of it, as the findings say",
    ),
    Program(
        "browser",
        "TypeScript in the browser",
        Run.NEVER,
        "Captions.ts",
        score=Score.MANUAL,
        remains=("TM060", "TM061", "TM062"),
        to_do="all of it, as the findings say",
    ),
)
