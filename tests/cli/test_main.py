"""The command line as a whole: help, version, exit codes, one line an error, never a traceback."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import MakeAudio, Run

from tympan.cli import main as main_module
from tympan.cli.errors import MissingExtra, OutputError, PartialFailure, needs_extra
from tympan.cli.exit_codes import ExitCode, exit_code_of
from tympan.client.errors import AudioDeviceError, AuthError, BufferFull, NetworkError, RequestError, ServerError
from tympan.core.errors import (
    EngineError,
    MediaError,
    ModelError,
    SettingsError,
    TympanError,
    UsageError,
)
from tympan.engines.moonshine.pull import DownloadError


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--help", "transcribe|models|Exit codes:|130 interrupted"),
        (
            "transcribe --help",
            "FILE|--url|--api-key|TYMPAN_API_KEY|--realtime|--format|--output|--engine|--model",
        ),
        (
            "listen --help",
            "--url|--device|--list-devices|--input FILE|JSON Lines|--output|--save-audio|--sample-rate|Ctrl+C|130",
        ),
        ("models --help", "list|path|verify|pull"),
        ("models list --help", "--format"),
        ("models path --help", "MODEL"),
        ("models verify --help", "MODEL|SHA-256"),
        ("models pull --help", "OWNER/REPOSITORY|HF_ENDPOINT|TYMPAN_MODELS_DIR"),
    ],
)
def test_help_tells_everything(run: Run, arguments: str, words: str) -> None:
    ran = run(*arguments.split())

    assert (ran.code, ran.errors) == (0, "")
    shown = " ".join(ran.output.split())
    assert [word for word in words.split("|") if word not in shown] == []


def test_version_is_told(run: Run) -> None:
    assert run("--version").output.startswith("tympan ")


def test_what_the_environment_says_of_servers_and_engines_is_passed_over_where_it_has_no_effect(
    run: Run, script: Path, audio_file: MakeAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TYMPAN_API_KEY", "any")
    monkeypatch.setenv("TYMPAN_TOKEN", "any")
    assert run("transcribe", "--engine", "scripted", "--model", script, audio_file()).code == 0
    monkeypatch.setenv("TYMPAN_SMART_TURN", "pulled")
    assert run("transcribe", "--url", "ws://127.0.0.1:1", audio_file()).code == ExitCode.NETWORK


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("nonsense", "No such command 'nonsense'"),
        ("transcribe", "Missing argument 'FILE'"),
        ("transcribe --nonsense", "No such option: --nonsense"),
        ("transcribe --format xml a.wav", "is not one of 'text', 'json', 'srt', 'vtt'"),
        ("models pull", "Missing argument 'MODEL'"),
        ("transcribe --api-key KEY a.wav", "--api-key: has no effect without --url, where all runs here; give --url"),
        ("transcribe --ca a.pem a.wav", "--ca: has no effect without --url"),
        ("transcribe --url ws://x --engine moonshine a.wav", "--engine: has no effect with --url: the server chooses"),
        ("listen --speech-model u3-rt-pro --input -", "--speech-model: has no effect without --url"),
        ("listen --url ws://x --smart-turn pulled --input -", "--smart-turn: has no effect with --url"),
        ("listen --url ws://x --input - --device 1", "--device: has no effect with --input"),
        ("record ws://x -o a.toml --input - --device 1", "--device: has no effect with --input"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_code_2(run: Run, arguments: str, message: str) -> None:
    ran = run(*arguments.split())

    assert (ran.code, ran.output) == (2, "")
    assert message in ran.errors
    assert ran.errors.count("\n") == 1
    assert "--help'" in ran.errors


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 1),
        (MediaError("x"), 3),
        (OutputError("x"), 4),
        (NetworkError("x"), 5),
        (DownloadError("x"), 5),
        (AuthError("x"), 6),
        (RequestError("x"), 7),
        (ServerError("x"), 8),
        (ModelError("x"), 9),
        (EngineError("moonshine", "x"), 10),
        (SettingsError("x"), 11),
        (MissingExtra("server", "numpy"), 12),
        (AudioDeviceError("x"), 13),
        (BufferFull("x"), 5),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error: TympanError, code: int) -> None:
    assert exit_code_of(error) == code


def test_every_exit_code_has_a_meaning() -> None:
    assert all(code.meaning for code in ExitCode)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ModelError("first\nsecond   third"), 9, "tympan: first second third\n"),
        (PartialFailure(AuthError("x"), 1, 2), 6, "tympan: 1 of 2 files failed\n"),
        (KeyboardInterrupt(), 130, ""),
        (
            ZeroDivisionError("oh"),
            1,
            "tympan: internal error: ZeroDivisionError: oh (set TYMPAN_DEBUG=1 to see where)\n",
        ),
    ],
)
def test_whatever_happens_is_one_line_and_an_exit_code(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, line: str
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(main_module, "app", fail)

    ran = run("models", "list")

    assert (ran.code, ran.errors) == (code, line)


def test_a_defect_shows_its_traceback_when_asked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(main_module, "app", fail)
    monkeypatch.setenv("TYMPAN_DEBUG", "1")

    assert "Traceback" in run("models").errors


def test_a_package_that_is_not_installed_names_the_extra() -> None:
    expected = r'no_such_package.*pip install "tympan\[server\]"'

    with pytest.raises(MissingExtra, match=expected), needs_extra("server"):
        raise ModuleNotFoundError(name="no_such_package.module")


def test_a_module_of_ours_that_is_missing_is_no_missing_extra() -> None:
    with pytest.raises(ModuleNotFoundError), needs_extra("server"):
        raise ModuleNotFoundError(name="tympan.nothing")


SERVER_PACKAGES = ["numpy", "onnxruntime", "onnx", "soxr", "soundfile", "huggingface_hub", "starlette"]


def without_server_packages(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    block = f"import sys; sys.modules.update(dict.fromkeys({SERVER_PACKAGES!r}))\n"
    return subprocess.run(
        [sys.executable, "-c", block + code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["transcribe", "--help"], ["listen", "--help"], ["models", "list"], ["models", "pull", "--help"]],
)
def test_the_base_install_can_run_it(arguments: list[str]) -> None:
    ran = without_server_packages(f"from tympan.cli.main import main; sys.exit(main({arguments!r}))")

    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "extra"), [(["transcribe", "a.wav"], "server"), (["models", "pull", "base-en"], "models")]
)
def test_the_base_install_names_the_extra_that_a_command_needs(
    arguments: list[str], extra: str, tmp_path: Path
) -> None:
    ran = without_server_packages(
        f"from tympan.cli.main import main; sys.exit(main({arguments!r}))", TYMPAN_MODELS_DIR=str(tmp_path)
    )

    assert ran.returncode == 12
    assert f'pip install "tympan[{extra}]"' in ran.stderr
    assert "Traceback" not in ran.stderr


def tympan(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "tympan", *map(str, arguments)]


def test_python_m_tympan_is_the_command() -> None:
    ran = subprocess.run(tympan("models", "path", "nonsense"), capture_output=True, text=True, check=False)

    assert ran.returncode == 9
    assert ran.stderr.startswith("tympan: no model 'nonsense'")


def test_a_closed_pipe_is_no_traceback() -> None:
    process = subprocess.Popen(tympan("models", "list"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    process.wait()

    assert errors == ""


def test_ctrl_c_ends_with_130_and_no_traceback(script: Path, audio_file: MakeAudio) -> None:
    engine = ["--engine", "scripted", "--model", script]
    process = subprocess.Popen(
        tympan("transcribe", *engine, "--realtime", audio_file(seconds=60)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "Book a table.\n"
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=10)

    assert (process.returncode, output, errors) == (130, "", "")


def test_help_on_a_terminal_tells_the_defaults() -> None:
    """Square brackets are markup there, and vanish with what is in them."""
    shown = subprocess.run(
        tympan("serve", "--help"), capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "200"}
    )
    for default in ("127.0.0.1", "8000", "moonshine", "10800", "info"):
        assert f"(default: {default})" in shown.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_full_standard_output_is_one_line_and_code_4(script: Path, audio_file: MakeAudio) -> None:
    command = tympan("transcribe", "--engine", "scripted", "--model", script, audio_file())
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (4, "tympan: cannot write to standard output: no space left on device\n")


@pytest.mark.skipif(os.name != "posix", reason="needs a shell that closes streams")
@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_closed_streams_take_what_is_written_to_nowhere(script: Path, audio_file: MakeAudio, closed: str) -> None:
    command = shlex.join(map(str, tympan("transcribe", "--engine", "scripted", "--model", script, audio_file())))
    ran = subprocess.run(f"{command} {closed}", shell=True, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ("Thanks." in ran.stdout) == (closed == "2>&-")
