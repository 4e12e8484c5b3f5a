"""`tympan transcribe` in this process, with real files and the scripted engine."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from command_line import MakeAudio, Run

from tympan.cli.commands.transcribe import transcribe as transcribe_command
from tympan.engines.registry import DEFAULT_ENGINE

TEXT = "Book a table.\nThanks.\n"


@pytest.fixture
def transcribe(run: Run, script: Path) -> Run:
    return lambda *arguments: run("transcribe", "--engine", "scripted", "--model", script, *arguments)


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_file_of_any_kind_becomes_one_line_a_turn(
    transcribe: Run, audio_file: MakeAudio, kind: str, rate_hz: int, channels: int
) -> None:
    ran = transcribe(audio_file(f"speech.{kind}", rate_hz=rate_hz, channels=channels))

    assert (ran.code, ran.output, ran.errors) == (0, TEXT, "")


@pytest.mark.parametrize("rate_hz", [4_000, 96_000, 192_000])
def test_unusual_sample_rates_are_taken(transcribe: Run, audio_file: MakeAudio, rate_hz: int) -> None:
    assert transcribe(audio_file(rate_hz=rate_hz)).output == TEXT


def test_json_has_turns_and_words_with_times(transcribe: Run, audio_file: MakeAudio) -> None:
    path = audio_file()

    result = transcribe("--format", "json", path).json

    assert result["file"] == str(path)
    assert result["audio_duration_ms"] == 3_000
    assert result["text"] == "Book a table. Thanks."
    assert [(turn["text"], turn["start"], turn["end"]) for turn in result["turns"]] == [
        ("Book a table.", 200, 1_000),
        ("Thanks.", 2_000, 2_400),
    ]
    assert result["turns"][1]["words"] == [{"text": "Thanks.", "start": 2_000, "end": 2_400, "confidence": 0.5}]


def test_silence_gives_an_empty_transcript(run: Run, audio_file: MakeAudio) -> None:
    ran = run("transcribe", "--engine", "scripted", "--format", "json", audio_file())

    assert ran.code == 0
    assert (ran.json["text"], ran.json["turns"]) == ("", [])


def test_several_files_are_told_apart_by_a_header(transcribe: Run, audio_file: MakeAudio) -> None:
    first, second = audio_file("a.wav"), audio_file("b.flac")

    assert transcribe(first, second).output == f"==> {first} <==\n{TEXT}==> {second} <==\n{TEXT}"


def test_several_files_are_a_list_in_json(transcribe: Run, audio_file: MakeAudio) -> None:
    files = [audio_file("a.wav"), audio_file("b.flac")]

    assert [one["file"] for one in transcribe("--format", "json", *files).json] == [str(file) for file in files]


@pytest.mark.parametrize("output_format", ["text", "json"])
def test_a_file_that_cannot_be_read_does_not_stop_the_others(
    transcribe: Run, audio_file: MakeAudio, tmp_path: Path, output_format: str
) -> None:
    good = audio_file()
    missing, damaged = tmp_path / "missing.wav", tmp_path / "damaged.mp3"
    damaged.write_bytes(b"nothing that anybody could hear")

    ran = transcribe("--format", output_format, missing, good, damaged)

    assert ran.code == 3
    assert ran.errors.splitlines() == [
        f"tympan: {missing}: no such file or directory",
        f"tympan: {damaged}: no audio that can be read; expected WAV, FLAC, OGG or MP3",
        "tympan: 2 of 3 files failed",
    ]
    if output_format == "text":
        assert ran.output == f"==> {good} <==\n{TEXT}"
    else:
        assert [one["file"] for one in ran.json] == [str(good)]


def test_a_single_file_that_cannot_be_read_is_one_line(transcribe: Run, tmp_path: Path) -> None:
    ran = transcribe("--format", "json", tmp_path)

    assert (ran.code, ran.output) == (3, "")
    assert ran.errors == f"tympan: {tmp_path}: this is a directory, expected an audio file\n"


@pytest.mark.parametrize("output_format", ["text", "json"])
def test_a_file_gets_what_standard_output_would_get(
    transcribe: Run, audio_file: MakeAudio, tmp_path: Path, output_format: str
) -> None:
    source, target = audio_file(), tmp_path / "out.txt"
    target.write_text("what was there before")

    shown = transcribe("--format", output_format, source).output
    ran = transcribe("--format", output_format, source, "-o", target)

    assert (ran.code, ran.output) == (0, "")
    assert target.read_text() == shown
    assert not list(tmp_path.glob(".out*"))


def test_a_device_is_written_to_and_never_replaced(transcribe: Run, audio_file: MakeAudio, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    assert transcribe(audio_file(), "-o", pipe).code == 0

    assert os.read(reader, 1_000).decode() == TEXT
    os.close(reader)
    assert pipe.is_fifo()


def test_a_link_keeps_pointing_to_the_file_that_is_written(
    transcribe: Run, audio_file: MakeAudio, tmp_path: Path
) -> None:
    link, target = tmp_path / "link.txt", tmp_path / "target.txt"
    link.symlink_to(target)

    assert transcribe(audio_file(), "-o", link).code == 0

    assert link.is_symlink()
    assert target.read_text() == TEXT


SRT = "1\n00:00:00,200 --> 00:00:01,200\nBook a table.\n\n2\n00:00:02,000 --> 00:00:02,900\nThanks.\n\n"


def test_subtitles_have_a_cue_for_each_thing_said(transcribe: Run, audio_file: MakeAudio) -> None:
    assert transcribe("--format", "srt", audio_file()).output == SRT
    assert transcribe("--format", "vtt", audio_file()).output == "WEBVTT\n\n" + SRT.replace(",", ".")


@pytest.mark.parametrize(("output_format", "suffix"), [("srt", ".srt"), ("text", ".txt"), ("json", ".json")])
def test_a_directory_gets_a_file_for_each_input(
    transcribe: Run, audio_file: MakeAudio, tmp_path: Path, output_format: str, suffix: str
) -> None:
    into = tmp_path / "results"
    into.mkdir()
    first, second = audio_file("a.wav"), audio_file("b.flac")

    ran = transcribe("--format", output_format, first, second, "-o", into)

    assert (ran.code, ran.output, ran.errors) == (0, "", "")
    assert sorted(path.name for path in into.iterdir()) == [f"a{suffix}", f"b{suffix}"]
    assert (into / f"b{suffix}").read_text() == transcribe("--format", output_format, second).output


def test_subtitles_of_several_files_need_a_directory(transcribe: Run, audio_file: MakeAudio) -> None:
    ran = transcribe("--format", "srt", audio_file("a.wav"), audio_file("b.wav"))

    assert (ran.code, ran.output) == (2, "")
    assert "--output DIRECTORY" in ran.errors


def test_two_inputs_never_share_a_result_file(transcribe: Run, audio_file: MakeAudio, tmp_path: Path) -> None:
    ran = transcribe(audio_file("a.wav"), audio_file("a.flac"), "-o", tmp_path)

    assert (ran.code, ran.output) == (4, "")
    assert "several inputs are called 'a'" in ran.errors


RAW = bytes(2 * 3 * 16_000)


def piped(script: Path, content: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "tympan", "transcribe", "--engine", "scripted", "--model", str(script)]
    return subprocess.run([*command, *arguments], input=content, capture_output=True, check=False)


@pytest.mark.parametrize(
    ("content", "arguments"),
    [
        (RAW, ["-"]),
        (RAW, ["-", "--sample-rate", "8000", "--channels", "2"]),
        (RAW[:24_000], ["-", "--sample-rate", "8000", "--encoding", "pcm_mulaw"]),
    ],
)
def test_raw_audio_comes_through_standard_input(script: Path, content: bytes, arguments: list[str]) -> None:
    ran = piped(script, content, *arguments)

    assert (ran.returncode, ran.stdout.decode(), ran.stderr) == (0, TEXT, b"")


def test_a_wav_file_comes_through_standard_input(script: Path, audio_file: MakeAudio) -> None:
    ran = piped(script, audio_file(rate_hz=44_100).read_bytes(), "-", "--format", "json")

    assert (ran.returncode, ran.stderr) == (0, b"")
    assert json.loads(ran.stdout)["file"] == "standard input"
    assert json.loads(ran.stdout)["audio_duration_ms"] == 3_000


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", b"standard input: no audio came"), (b"fLaC....", b"FLAC can't be read from a pipe; give the file's name")],
)
def test_what_cannot_be_read_from_standard_input_is_one_line(script: Path, content: bytes, message: bytes) -> None:
    ran = piped(script, content, "-")

    assert (ran.returncode, ran.stdout, ran.stderr.count(b"\n")) == (3, b"", 1)
    assert message in ran.stderr


def test_the_default_engine_is_the_registrys() -> None:
    assert inspect.signature(transcribe_command).parameters["engine"].default == DEFAULT_ENGINE


def test_a_failure_leaves_the_output_file_alone(transcribe: Run, tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    target.write_text("precious")

    assert transcribe(tmp_path / "missing.wav", "-o", target).code == 3
    assert target.read_text() == "precious"


def test_an_output_that_cannot_be_written_is_told_before_the_work(
    transcribe: Run, audio_file: MakeAudio, tmp_path: Path
) -> None:
    (tmp_path / "speech.txt").mkdir()

    into_nowhere = transcribe(audio_file(), "-o", tmp_path / "nowhere" / "out.txt")
    onto_directory = transcribe(audio_file(), "-o", tmp_path)

    assert (into_nowhere.code, onto_directory.code) == (4, 4)
    assert "no directory" in into_nowhere.errors
    assert "speech.txt: this is a directory" in onto_directory.errors


def test_realtime_takes_as_long_as_the_audio(transcribe: Run, audio_file: MakeAudio) -> None:
    path = audio_file(seconds=0.4)

    started = time.monotonic()
    assert transcribe("--realtime", path).code == 0
    assert time.monotonic() - started >= 0.4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--engine", "nonsense"), "no engine is called 'nonsense'"),
        (("--engine", "scripted", "--model", "nowhere.json"), "cannot read the script nowhere.json"),
        (("--model", "base-en"), "tympan models pull base-en"),
        (("--smart-turn", "pulled"), "tympan models pull smart-turn"),
    ],
)
def test_an_unknown_engine_or_model_is_a_model_error(
    run: Run, audio_file: MakeAudio, arguments: tuple[str, ...], message: str
) -> None:
    ran = run("transcribe", *arguments, audio_file())

    assert (ran.code, ran.output) == (9, "")
    assert message in ran.errors


def test_a_terminal_shows_progress_and_standard_output_stays_clean(script: Path, audio_file: MakeAudio) -> None:
    terminal, side = os.openpty()
    shown = bytearray()
    command = [sys.executable, "-m", "tympan", "transcribe", "--engine", "scripted", "--model", str(script)]
    speech = audio_file(seconds=30)
    process = subprocess.Popen([*command, speech.name], stdout=subprocess.PIPE, stderr=side, cwd=speech.parent)
    os.close(side)
    with suppress(OSError):  # Linux ends a terminal that nobody holds any more with an error
        while piece := os.read(terminal, 65_536):
            shown += piece
    os.close(terminal)
    output, _ = process.communicate(timeout=60)

    assert (process.returncode, output.decode()) == (0, TEXT)
    assert b"speech.wav" in shown
    assert b"100 %" in shown
