"""Doors for files that are to be migrated."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from door import Door, Opening, text_of

from tympan.migrate.discovery import all_rules
from tympan.migrate.document import Unreadable
from tympan.migrate.files import FileError, read_file
from tympan.migrate.formats.catalog import format_of
from tympan.migrate.rule import Target
from tympan.migrate.runner import check, fix


def migrated(name: str) -> Opening:
    """A file of this name to check and to fix; what is fixed is still of its kind."""

    def opening(data: bytes, _: Path) -> None:
        kind = format_of(name)
        assert kind is not None
        text = text_of(data)
        opened = kind.open(text)
        with suppress(RecursionError):  # `project` tells of it
            outcomes = []
            for document in opened.documents:
                check(document, all_rules(), Target())
                outcomes.append(fix(document, all_rules(), Target(), with_unsafe=True))
            after = opened.rebuilt([outcome.document for outcome in outcomes])
            try:
                kind.open(after)
            except Unreadable as error:
                raise AssertionError(f"a fix broke the file: {error}") from error

    return opening


def source_file(data: bytes, folder: Path) -> None:
    file = folder / "old.py"
    file.write_bytes(data)
    source = read_file(file)
    with suppress(UnicodeError):  # told as a FileError where it is written
        source.encoded(source.text)


PROGRAMS = (
    b'import websockets\nURL = "wss://api.assemblyai.com/v2/realtime/ws?sample_rate=16000"\nasync def main():\n'
    b"    async with websockets.connect(URL) as ws:\n        await ws.send(json.dumps({'audio_data': data}))\n"
    b"        if json.loads(await ws.recv())['message_type'] == 'FinalTranscript': print(1)\n",
    b"import assemblyai as aai\ntranscriber = aai.RealtimeTranscriber(sample_rate=16_000, on_data=on_data)\n"
    b"transcriber.connect()\ntranscriber.stream(aai.extras.MicrophoneStream())\n",
)
NOTEBOOK = json.dumps(
    {
        "cells": [
            {"cell_type": "code", "source": PROGRAMS[0].decode(), "outputs": []},
            {"cell_type": "code", "source": ["%time x\n", "!pip install assemblyai"], "outputs": []},
            {"cell_type": "markdown", "source": "a"},
        ],
        "metadata": {"kernelspec": {"language": "python"}},
    }
).encode()
JAVASCRIPT = (
    b"const ws = new WebSocket(`wss://api.assemblyai.com/v2/realtime/ws?token=${token}`);\n"
    b"ws.onmessage = (m) => { if (JSON.parse(m.data).message_type === 'FinalTranscript') { /* ' */ } };\n"
)
SETTINGS_FILE = b"# old\nURL=wss://api.assemblyai.com/v2/realtime/ws?sample_rate=16000 # x\nASSEMBLYAI_TOKEN='a'\n"

DOORS = (
    Door(
        "program to migrate",
        migrated("a.py"),
        (Unreadable,),
        PROGRAMS,
        (
            "tympan.migrate.matching.parsing:parsed",
            "tympan.migrate.matching.parsing:is_text",
            "tympan.migrate.matching.numbers:_literal",
        ),
        is_slow=True,
    ),
    Door(
        "notebook to migrate",
        migrated("a.ipynb"),
        (Unreadable,),
        (NOTEBOOK,),
        (
            "tympan.migrate.formats.json_text:_end_of_value",
            "tympan.migrate.formats.json_text:members",
            "tympan.migrate.formats.json_text:root_of",
            "tympan.migrate.formats.notebook:_code_cells",
            "tympan.migrate.formats.notebook:_code_cell",
        ),
        is_slow=True,
    ),
    Door("JavaScript to migrate", migrated("a.ts"), (Unreadable,), (JAVASCRIPT,), ()),
    Door("settings to migrate", migrated(".env"), (Unreadable,), (SETTINGS_FILE,), ()),
    Door("settings in INI to migrate", migrated("a.ini"), (Unreadable,), (SETTINGS_FILE,), ()),
    Door(
        "bytes of a file to migrate",
        source_file,
        (FileError, Unreadable),
        (b"# -*- coding: latin-1 -*-\nx = '\xe9'\r\n", b"\xef\xbb\xbfx = 1\n"),
        ("tympan.migrate.files:read_file",),
    ),
)
