"""Doors for files that the operator gives: scripts, settings, models."""

from __future__ import annotations

from pathlib import Path

from door import Door, json_lines, text_of

from tympan.core.errors import ModelError, ScriptError, SettingsError
from tympan.engines.moonshine.assets import FILE_NAMES
from tympan.engines.moonshine.ort_format import read_graph
from tympan.engines.moonshine.store import MANIFEST_FILE, find_model
from tympan.engines.moonshine.tokens import Vocabulary
from tympan.script.format import parse_programme
from tympan.server.settings import load_settings, server_config


def script(data: bytes, _: Path) -> None:
    programme = parse_programme(text_of(data), "talk")
    for session in programme.sessions:
        times = [time for word in session.timeline.words for time in (word.start_ms, word.end_ms)]
        assert times == sorted(times)


def configuration_file(data: bytes, folder: Path) -> None:
    file = folder / "tympan.toml"
    file.write_bytes(data)
    server_config(load_settings({}, file))


def manifest(data: bytes, folder: Path) -> None:
    for name in FILE_NAMES:
        (folder / name).touch()
    (folder / MANIFEST_FILE).write_bytes(data)
    find_model(str(folder), folder / "none")


def vocabulary(data: bytes, folder: Path) -> None:
    file = folder / "tokenizer.bin"
    file.write_bytes(data)
    words = Vocabulary.read(file)
    tokens = range(min(50, len(words)))
    words.spans(list(tokens))


def ort_graph(data: bytes, folder: Path) -> None:
    file = folder / "model.ort"
    file.write_bytes(data)
    read_graph(file)


SCRIPTS = (
    b'[[turns]]\ntext = "Hi, my name is Sonny."\nstart_ms = 300\nend_of_turn_confidence = 0.9\n\n[[faults]]\n'
    b'after_audio_ms = 500\nclose = 3005\nerror = "gone"\n\n[[faults]]\nat = "begin"\ndelay_ms = 5\n',
    b'[[sessions]]\n[[sessions.words]]\ntext = "hi"\nstart_ms = 0\nend_ms = 5\n[[sessions]]\nafter_last = "silence"\n',
    b'frame_ms = 50\npartial_every_ms = 200\n[[messages]]\nat_ms = 5\ntype = "Warning"\n'
    b'warning_code = 1\nwarning = "x"\n',
    b'{"sessions": [{"turns": [{"text": "Hi.", "pause_ms": 100}], "faults": [{"after_messages": 2, "drop": true}]}]}',
)

DOORS = (
    Door(
        "script of a test double",
        script,
        (ScriptError,),
        SCRIPTS,
        (
            "tympan.script.format:_document",
            "tympan.script.format:_message",
            "tympan.engines.scripted:load",
            "tympan.testing.double:_read",
        ),
    ),
    Door(
        "configuration file",
        configuration_file,
        (SettingsError,),
        (
            b'port = 0\nhost = "::1"\napi_keys = ["a", "b"]\nno_auth = true\nping_interval_s = 1.5\nworkers = 1\n',
            b'tls_cert = "cert.pem"\ntls_key = "key.pem"\nscript = "s.toml"\nmax_backlog_s = 3\nstrict = true\n',
        ),
        ("tympan.server.listening_settings:_read_file",),
        is_slow=True,
    ),
    Door(
        "manifest of a pulled model",
        manifest,
        (ModelError,),
        json_lines({"source": "a", "revision": "b", "sha256": {"encoder_model.ort": "0", "tokenizer.bin": "1"}}),
        ("tympan.engines.moonshine.store:Manifest.parse", "tympan.engines.moonshine.store:_in_folder"),
    ),
    Door(
        "vocabulary of a model",
        vocabulary,
        (ModelError,),
        (b"\x00\x03<s>\x04</s>\x01a\x82\x01" + b"b" * 130,),
        ("tympan.engines.moonshine.tokens:Vocabulary.read",),
    ),
    Door(
        "weights of a model",
        ort_graph,
        (ModelError,),
        (b"\x10\0\0\0ORTM" + bytes(64),),
        (
            "tympan.engines.moonshine.ort_format:read_graph",
            "tympan.engines.moonshine.ort_format:_array",
        ),
        is_slow=True,
    ),
)
