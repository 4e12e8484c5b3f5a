"""Inputs that once raised what nobody documented, hung, or took memory without bound. Each stays here."""

from __future__ import annotations

import asyncio
import math
import struct
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tympan.cli.legible import legible
from tympan.cli.screen import PlainScreen
from tympan.cli.subtitles import subtitles
from tympan.cli.transcript import SpokenTurn
from tympan.client.address import session_address, shown_address
from tympan.client.errors import RequestError, TlsError
from tympan.client.inbox import MAX_WAITING_CHARS, Inbox
from tympan.client.raw_audio import MAX_CHANNELS, read_wav_header
from tympan.client.sources import open_audio, pcm_chunks
from tympan.client.trust import tls_context
from tympan.core.errors import MediaError, ModelError, ScriptError, SettingsError, UsageError
from tympan.core.units import StreamMs
from tympan.core.words import Word
from tympan.engines.moonshine.assets import FILE_NAMES
from tympan.engines.moonshine.store import MANIFEST_FILE, Manifest, find_model
from tympan.engines.scripted import load as load_script
from tympan.engines.wheel_model import SMART_TURN
from tympan.migrate.document import Unreadable
from tympan.migrate.formats.notebook import Notebook
from tympan.migrate.probe.address import Address
from tympan.migrate.probe.record import Heard
from tympan.script.format import parse_programme
from tympan.server.config import TlsFiles
from tympan.server.settings import Settings, load_settings, server_config
from tympan.server.tls import check_tls
from tympan.wire.v2.messages import moment
from tympan.wire.v3.client import decode_message
from tympan.wire.v3.messages import ServerWarning, Turn, UnknownServerMessage

LONG_NUMBER = "9" * 5000
"""Python converts no number of more than 4300 digits, and says so with a plain ValueError."""

DEEP = "[" * 100_000
NO_PATH = "a\0b"
HALF_PAIR = "\\ud83d"
"""Half of a surrogate pair, as JSON spells it."""


@pytest.mark.parametrize("text", [f'{{"turns": {LONG_NUMBER}}}', f"frame_ms = {LONG_NUMBER}"], ids=["JSON", "TOML"])
def test_a_number_of_thousands_of_digits_in_a_script_is_a_script_error(text: str) -> None:
    with pytest.raises(ScriptError, match="talk: a number that can't be read"):
        parse_programme(text, "talk")


def test_a_script_whose_name_is_no_path_is_a_script_error() -> None:
    with pytest.raises(ScriptError, match="cannot read the script"):
        load_script(NO_PATH, {})


def settings(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "tympan.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings({}, file)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"port = {DEEP}", "nested too deep"),
        (f"port = {LONG_NUMBER}", "is no TOML"),
        ("max_backlog_s = inf", "finite"),
        ("ping_interval_s = inf", "finite"),
        ("inactivity_timeout_s = inf", "finite"),
    ],
    ids=["deep", "long", "backlog", "ping", "inactivity"],
)
def test_what_no_setting_can_hold_is_a_settings_error(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        server_config(settings(tmp_path, text))


def test_a_key_in_the_environment_that_is_no_utf_8_is_a_settings_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TYMPAN_API_KEYS", "\udcff")

    with pytest.raises(SettingsError, match=r"TYMPAN_API_KEYS\): Value error, a key is no text in UTF-8"):
        load_settings({})


def test_a_certificate_whose_name_is_no_path_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="is no path of a file"):
        check_tls(TlsFiles(Path(NO_PATH)))


@pytest.mark.parametrize("path", [NO_PATH, "a\udcff\ud800"])
def test_authorities_whose_name_is_no_path_are_a_tls_error(path: str) -> None:
    with pytest.raises(TlsError, match="expected a PEM file"):
        tls_context(path)


def test_a_parameter_with_half_a_surrogate_pair_is_a_request_error() -> None:
    with pytest.raises(RequestError, match="half of a surrogate pair"):
        session_address("localhost:8000", {"prompt": "\ud83d"})


def test_an_address_in_a_query_does_not_bring_the_token_behind_it_into_messages() -> None:
    address = session_address("ws://localhost:8000?webhook_url=https://a.b/c", {"token": "secret"})

    assert shown_address(address) == "ws://localhost:8000/v3/ws"


def test_what_is_no_address_is_told_without_its_query_and_user() -> None:
    with pytest.raises(UsageError, match="'host' is no address"):
        Address.parse("ftp://key@host?token=secret")


@pytest.mark.parametrize("unix_s", [2**53 - 1, -(2**53) + 1, 253_402_300_800])
def test_a_moment_that_no_calendar_has_is_the_nearest_that_it_has(unix_s: int) -> None:
    assert moment(unix_s) == ("1970-01-01T00:00:00.000000" if unix_s < 0 else "9999-12-31T23:59:59.000000")


@pytest.mark.parametrize("content", [DEEP.encode(), b"\xff\xfe", b"null"], ids=["deep", "no UTF-8", "null"])
def test_a_damaged_manifest_is_a_model_error(tmp_path: Path, content: bytes) -> None:
    for name in FILE_NAMES:
        (tmp_path / name).touch()
    (tmp_path / MANIFEST_FILE).write_bytes(content)

    with pytest.raises(ModelError, match="pull the model again"):
        find_model(str(tmp_path), tmp_path / "models")


def test_a_manifest_is_read_back_as_it_was_written() -> None:
    manifest = Manifest("hub", "main", dict.fromkeys(FILE_NAMES, "0" * 64))

    assert Manifest.parse(manifest.to_json(), Path(MANIFEST_FILE)) == manifest


def test_a_model_whose_name_is_too_long_for_a_path_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model"):
        find_model("a" * 5000, tmp_path)


@pytest.mark.parametrize("name", [NO_PATH, "a" * 5000])
def test_a_second_model_whose_name_is_no_path_is_a_model_error(name: str) -> None:
    with pytest.raises(ModelError, match="found no readable file"):
        SMART_TURN.read(Path(name))


def test_a_number_of_thousands_of_digits_in_a_notebook_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="a number that can't be read"):
        Notebook(f'{{"cells": [], "x": {LONG_NUMBER}}}')


def test_a_message_nested_without_end_is_no_document_to_the_probe() -> None:
    assert Heard.of(DEEP, at_s=0, sent_ms=0).document is None


def test_half_a_surrogate_pair_in_a_message_is_read_as_a_replacement_character() -> None:
    warning = decode_message(f'{{"type": "Warning", "warning_code": 1, "warning": "a{HALF_PAIR}b"}}')
    unknown = decode_message(f'{{"type": "{HALF_PAIR}"}}')
    whole = decode_message('{"type": "Warning", "warning_code": 1, "warning": "\\ud83d\\ude00"}')

    assert warning == ServerWarning(1, "a\ufffdb")
    assert unknown == UnknownServerMessage("\ufffd")
    assert whole == ServerWarning(1, "\U0001f600")


def wav(rate_hz: int, channels: int, *, encoding: int = 1, bits: int = 16, audio: bytes = bytes(2**18)) -> bytes:
    frame = channels * bits // 8 & 0xFFFF
    form = struct.pack("<HHIIHH", encoding, channels, rate_hz, rate_hz * frame & 0xFFFF_FFFF, frame, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(audio)) + audio
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (wav(1, 1), "sample rate is 1 Hz"),
        (wav(4_294_967_295, 1), "sample rate is 4294967295 Hz"),
        (wav(2_147_483_647, 2, encoding=3, bits=32), "sample rate is 2147483647 Hz"),
        (wav(16_000, 65_535), "65535 channels"),
        (wav(16_000, 1_000, encoding=3, bits=32), "1000 channels"),
    ],
)
def test_a_header_that_would_take_memory_or_time_without_end_is_a_media_error(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    file = tmp_path / "talk.wav"
    file.write_bytes(content)

    with pytest.raises(MediaError, match=problem), open_audio(file) as audio:
        list(pcm_chunks(audio))


def test_a_header_that_sends_its_reader_out_of_every_file_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "talk.w64"
    soundfile.write(file, [0.0] * 800, 16_000, format="W64")
    content = bytearray(file.read_bytes())
    content[96:104] = struct.pack("<Q", 2**61)  # the length of a part
    file.write_bytes(content)

    with open_audio(file) as audio:
        assert b"".join(pcm_chunks(audio)) == bytes(1600)


def test_samples_that_are_no_numbers_are_silence(tmp_path: Path) -> None:
    file = tmp_path / "talk.wav"
    file.write_bytes(wav(16_000, 1, encoding=3, bits=32, audio=struct.pack("<4f", 0.5, math.nan, math.inf, 0.25)))

    with open_audio(file) as audio:
        assert b"".join(pcm_chunks(audio)) == struct.pack("<4h", 16_384, 0, 32_767, 8_192)


def test_a_header_in_a_pipe_with_more_channels_than_recorders_have_gives_no_format(tmp_path: Path) -> None:
    def channels(count: int) -> bool:
        file = tmp_path / "header.wav"
        file.write_bytes(wav(16_000, count, audio=b""))
        with file.open("rb") as stream:
            header = read_wav_header(stream)
        assert header is not None
        return header.raw_format() is not None

    assert channels(MAX_CHANNELS)
    assert not channels(MAX_CHANNELS + 1)
    assert not channels(65_535)


def turn(text: str, **values: Any) -> Turn:
    return Turn(0, False, False, text, 0.0, (), **values)


def test_a_reader_of_few_huge_events_slows_the_server_down_too() -> None:
    async def waits() -> tuple[bool, bool]:
        inbox = Inbox()
        inbox.put([turn("a" * (MAX_WAITING_CHARS - 1))])
        await inbox.wait_for_room()
        inbox.put([turn("ab")])
        waiting = asyncio.ensure_future(inbox.wait_for_room())
        await asyncio.sleep(0)
        was_full = not waiting.done()
        await inbox.take()
        await asyncio.wait_for(waiting, 60)
        return was_full, waiting.done()

    assert asyncio.run(waits()) == (True, True)


NASTY = "\x1b]0;title\x07 \n==> other <==\r \x9b2J \u2028"


def test_what_a_service_says_moves_no_cursor_and_begins_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    words = (Word(NASTY, StreamMs(0), StreamMs(500), 0.9),)

    PlainScreen().note(NASTY)
    shown = [legible(NASTY), SpokenTurn(words).text, capsys.readouterr().err.removesuffix("\n")]
    cues = [subtitles(kind, [words]) for kind in ("srt", "vtt")]

    assert [text for text in shown if not text.isprintable()] == []
    assert [text for text in cues if {"\x1b", "\x07", "\r", "\x9b", "\u2028"} & set(text)] == []
    assert legible("fiancée 👩‍👩‍👧 שלום") == "fiancée 👩‍👩‍👧 שלום"
