"""Files of settings: addresses in every format, whatever stands around them."""

from __future__ import annotations

import json

import pytest

from tympan.migrate.discovery import all_rules
from tympan.migrate.formats.catalog import format_of
from tympan.migrate.rule import Target
from tympan.migrate.runner import check, fix

OLD = "wss://api.assemblyai.com/v2/realtime/ws"
NEW = "wss://streaming.assemblyai.com/v3/ws"


def fixed(name: str, text: str, target: Target | None = None, *, with_unsafe: bool = False) -> str:
    kind = format_of(name)
    assert kind is not None, name
    opened = kind.open(text)
    outcomes = [
        fix(document, all_rules(), target or Target(), with_unsafe=with_unsafe) for document in opened.documents
    ]
    return opened.rebuilt([outcome.document for outcome in outcomes])


def codes(name: str, text: str) -> list[str]:
    kind = format_of(name)
    assert kind is not None, name
    return [found.code for document in kind.open(text).documents for found in check(document, all_rules(), Target())]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (".env", "STT_URL={}\n"),
        (".env.local", "export STT_URL='{}'\n"),
        ("production.env", 'STT_URL="{}"\r\n'),
        ("compose.yml", "  - STT_URL={} # speech\n"),
        ("settings.yaml", "url: {}"),
        ("settings.toml", 'url = "{}"\n'),
        ("settings.json", '{{"url": "{}", "n": 1}}'),
        ("settings.ini", "url = {}\n; {{}}\n"),
        ("app.properties", "stt.url={}\n"),
    ],
)
def test_the_address_is_changed_and_nothing_around_it(name: str, line: str) -> None:
    assert fixed(name, line.format(OLD)) == line.format(NEW)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sample_rate=16000", "sample_rate=16000&format_turns=true"),
        ("sample_rate=${RATE}&encoding=pcm_mulaw", "sample_rate=${RATE}&encoding=pcm_mulaw&format_turns=true"),
        ("word_boost=%5B%22a%22%5D", "keyterms_prompt=%5B%22a%22%5D&format_turns=true"),
        ("disable_partial_transcripts=True", "include_partial_turns=false&format_turns=true"),
        ("disable_partial_transcripts=false&sample_rate=8000", "sample_rate=8000&format_turns=true"),
        ("enable_extra_session_information=true&sample_rate=8000", "sample_rate=8000&format_turns=true"),
        ("sample_rate=8000&format_turns=false", "sample_rate=8000&format_turns=false"),
    ],
)
def test_parameters_in_an_address_are_those_of_v3(old: str, new: str) -> None:
    assert fixed(".env", f"URL={OLD}?{old}\n") == f"URL={NEW}?{new}\n"


def test_the_european_address_stays_in_europe() -> None:
    assert fixed(".env", "U=wss://api.eu.assemblyai.com/v2/realtime/ws") == "U=wss://streaming.eu.assemblyai.com/v3/ws"


def test_another_target_is_written_where_it_is_wished() -> None:
    target = Target.of("ws://localhost:8000")
    assert fixed(".env", f"URL={OLD}\n", target) == "URL=ws://localhost:8000/v3/ws\n"
    token = "TOKEN=https://api.assemblyai.com/v2/realtime/token\n"
    assert fixed(".env", token, target, with_unsafe=True) == "TOKEN=http://localhost:8000/v3/token\n"


def test_the_address_for_tokens_needs_a_look_at_the_program() -> None:
    token = "TOKEN=https://api.assemblyai.com/v2/realtime/token\n"
    assert fixed(".env", token) == token
    assert codes(".env", token) == ["TM050"]


@pytest.mark.parametrize("name", [".env", "a.yaml", "a.toml", "a.ini"])
def test_comments_are_nobodys_settings(name: str) -> None:
    assert codes(name, f"# {OLD}\nport = 1  # end_utterance_silence_threshold: 3\n") == []


def test_a_number_of_frames_is_told_only_beside_an_old_address_and_only_if_it_is_long() -> None:
    assert codes("a.yaml", f"url: {OLD}\nframes_per_buffer: 3200\n") == ["TM050", "TM051"]
    assert codes("a.yaml", f"url: {OLD}\nframes_per_buffer: 800\n") == ["TM050"]
    assert codes("a.yaml", "frames_per_buffer: 3200\n") == []


def test_json_stays_json() -> None:
    before = {"url": OLD + '?word_boost=["Sonny"]', "list": [OLD]}
    after = json.loads(fixed("a.json", json.dumps(before)))
    assert after["list"] == [NEW]
    assert after["url"].startswith(NEW + "?keyterms_prompt=")


def test_the_address_of_batch_transcription_stays() -> None:
    assert codes(".env", "URL=https://api.assemblyai.com/v2/transcript\nBASE=https://api.assemblyai.com\n") == []
