"""`tympan migrate` as a user meets it: files on a disk, exit codes, reports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tympan.cli.main import main

OLD = "URL = 'wss://api.assemblyai.com/v2/realtime/ws'  # ours\nENDED = {'type': 'Terminate'}\n"
NEW = OLD.replace("wss://api.assemblyai.com/v2/realtime/ws", "wss://streaming.assemblyai.com/v3/ws")
BY_HAND = "subscribe('FinalTranscript', show)\n"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(OLD)
    return path


def test_check_tells_where_what_and_how_and_changes_nothing(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "check", str(program)]) == 1
    told = capsys.readouterr()
    first, second, _, why = told.out.splitlines()
    assert first == f"{program}:1:8: TM001 this is the address of the old streaming service"
    assert second == "    Connect to wss://streaming.assemblyai.com/v3/ws. ('tympan migrate fix' does it)"
    assert why == "TM001: The old address answers 410: no session begins."
    assert told.err == "1 file, 1 finding (1 that 'fix' repairs)\n"
    assert program.read_text() == OLD


def test_a_program_without_findings_is_code_0_and_prints_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "program.py").write_text(NEW)
    assert main(["migrate", "check", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""


def test_fix_writes_and_a_second_fix_does_not(program: Path) -> None:
    assert main(["migrate", "fix", str(program)]) == 0
    assert program.read_text() == NEW
    written_at = program.stat().st_mtime_ns
    assert main(["migrate", "fix", str(program)]) == 0
    assert program.stat().st_mtime_ns == written_at


def test_fix_is_code_1_while_something_is_left_to_do(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program.write_text(OLD + BY_HAND)
    assert main(["migrate", "fix", str(program)]) == 1
    assert program.read_text() == NEW + BY_HAND
    told = capsys.readouterr()
    assert told.out.startswith(f"{program}:3:11: TM006 a message of v3 is a Turn, not a FinalTranscript\n")
    assert told.err == "1 file, 1 fixed, 1 finding left (1 to do by hand)\n"


def test_diff_prints_a_patch_and_changes_nothing(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "fix", "--diff", str(program)]) == 1
    printed = capsys.readouterr().out
    assert program.read_text() == OLD
    assert printed.splitlines() == [
        f"--- {program}",
        f"+++ {program}",
        "@@ -1,2 +1,2 @@",
        f"-{OLD.splitlines()[0]}",
        f"+{NEW.splitlines()[0]}",
        f" {OLD.splitlines()[1]}",
    ]


def test_unsafe_fixes_are_made_only_when_asked_for(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    source = "PATH = '/v3/ws'\ndef show(msg):\n    if msg['type'] == 'Turn':\n        print(msg['created'])\n"
    program.write_text(source)
    assert main(["migrate", "fix", str(program)]) == 1
    assert program.read_text() == source
    assert main(["migrate", "fix", "--unsafe", str(program)]) == 0
    assert "datetime.now(timezone.utc)" in program.read_text()


@pytest.mark.parametrize(
    ("host", "address"),
    [("ws://localhost:8000", "ws://localhost:8000/v3/ws"), ("speech.example", "wss://speech.example/v3/ws")],
)
def test_the_host_may_be_another_one(program: Path, host: str, address: str) -> None:
    assert main(["migrate", "fix", "--host", host, str(program)]) == 0
    assert f"'{address}'" in program.read_text()


@pytest.mark.parametrize("host", ["", "ftp://x", "wss://x/path", "a b", "x?y=1", "x'y", "ws://"])
def test_a_host_that_is_none_is_a_usage_error(program: Path, host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "fix", "--host", host, str(program)]) == 2
    assert "expected HOST, HOST:PORT or ws://HOST:PORT" in capsys.readouterr().err
    assert program.read_text() == OLD


def test_rules_can_be_selected_and_ignored(program: Path) -> None:
    program.write_text(OLD + BY_HAND)
    assert main(["migrate", "check", "--select", "tm004,TM013", str(program)]) == 0
    assert main(["migrate", "check", "--ignore", "TM001", "--ignore", "TM006", str(program)]) == 0
    assert main(["migrate", "fix", "--select", "TM006", str(program)]) == 1
    assert program.read_text() == OLD + BY_HAND


def test_an_unknown_rule_is_a_usage_error(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "check", "--select", "TM999", str(program)]) == 2
    assert "no rule TM999; there are TM001, TM002" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("comment", "code"), [("tympan: ignore[TM001]", 0), ("tympan: ignore", 0), ("tympan: ignore[TM002, TM003]", 1)]
)
def test_a_comment_keeps_a_line_as_it_is(program: Path, comment: str, code: int) -> None:
    program.write_text(OLD.replace("# ours", f"# {comment}"))
    assert main(["migrate", "fix", "--diff", str(program)]) == code


def test_what_cannot_be_parsed_is_told_and_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = tmp_path / "program.py"
    source = OLD + "x = = 1\n"
    program.write_text(source)
    assert main(["migrate", "fix", str(program)]) == 1
    assert capsys.readouterr().out.startswith(f"{program}:3:7: TM000 not Python that can be parsed\n")
    assert program.read_text() == source


def test_bytes_that_are_no_text_are_told_and_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = tmp_path / "program.py"
    program.write_bytes(b"URL = '\xff/v2/realtime/ws'\n")
    assert main(["migrate", "fix", str(program)]) == 1
    assert "TM000 not text in the encoding utf-8" in capsys.readouterr().out
    assert program.read_bytes() == b"URL = '\xff/v2/realtime/ws'\n"


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "check", str(tmp_path / "nothing.py")]) == 1
    assert f"no file or folder {tmp_path / 'nothing.py'}" in capsys.readouterr().err


def test_a_named_file_of_no_known_kind_is_told(
    program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text(OLD)
    assert main(["migrate", "fix", str(program), str(notes)]) == 0
    assert capsys.readouterr().err == "1 file, 1 of no kind that is looked at, 1 fixed, 0 findings left\n"
    assert notes.read_text() == OLD


def test_a_path_that_is_not_there_is_told_before_anything_is_written(program: Path, tmp_path: Path) -> None:
    assert main(["migrate", "fix", str(program), str(tmp_path / "nothing.py")]) == 1
    assert program.read_text() == OLD


def test_a_file_keeps_its_mark_encoding_line_ends_and_rights(tmp_path: Path) -> None:
    marked, latin, script = tmp_path / "marked.py", tmp_path / "latin.py", tmp_path / "script.py"
    marked.write_bytes(b"\xef\xbb\xbf" + OLD.replace("\n", "\r\n").encode())
    latin.write_bytes(("# coding: latin-1\n" + OLD.replace("ours", "für uns")).encode("latin-1"))
    script.write_text(OLD)
    script.chmod(0o754)
    assert main(["migrate", "fix", str(tmp_path)]) == 0
    assert marked.read_bytes() == b"\xef\xbb\xbf" + NEW.replace("\n", "\r\n").encode()
    assert latin.read_bytes() == ("# coding: latin-1\n" + NEW.replace("ours", "für uns")).encode("latin-1")
    assert script.stat().st_mode & 0o777 == 0o754
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latin.py", "marked.py", "script.py"]


def test_a_read_only_file_is_told_and_left_alone_and_the_others_are_fixed(
    program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "a_kept.py"
    kept.write_text(OLD)
    kept.chmod(0o444)
    assert main(["migrate", "fix", str(tmp_path)]) == 1
    assert f"{kept}:1:1: TM000 cannot write {kept}: it is read-only" in capsys.readouterr().out
    assert kept.read_text() == OLD
    assert program.read_text() == NEW


def test_what_a_link_leads_to_is_fixed_and_the_link_stays(program: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.py"
    link.symlink_to(program)
    assert main(["migrate", "fix", str(link)]) == 0
    assert link.is_symlink()
    assert program.read_text() == NEW


def test_folders_of_others_are_left_out_unless_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("node_modules", ".venv", "src"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "program.py").write_text(OLD)
    assert main(["migrate", "check", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("1 file,")
    assert main(["migrate", "check", str(tmp_path / ".venv")]) == 1


def test_json_has_all_that_is_known_of_a_finding(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "check", "--format", "json", str(program)]) == 1
    assert json.loads(capsys.readouterr().out) == [
        {
            "file": program.as_posix(),
            "line": 1,
            "column": 8,
            "end_line": 1,
            "end_column": 47,
            "code": "TM001",
            "message": "this is the address of the old streaming service",
            "why": "The old address answers 410: no session begins.",
            "advice": "Connect to wss://streaming.assemblyai.com/v3/ws.",
            "applicability": "safe",
        }
    ]


def test_sarif_names_the_rule_and_the_region(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "check", "--format", "sarif", str(program)]) == 1
    log = json.loads(capsys.readouterr().out)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "TM001"
    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == program.as_uri()
    assert location["physicalLocation"]["region"] == {"startLine": 1, "startColumn": 8, "endLine": 1, "endColumn": 47}


@pytest.mark.parametrize("output_format", ["json", "sarif"])
def test_reports_for_programs_are_whole_without_findings_too(
    tmp_path: Path, output_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["migrate", "check", "--format", output_format, str(tmp_path)]) == 0
    json.loads(capsys.readouterr().out)


def test_without_the_extra_it_says_what_to_install(program: Path) -> None:
    script = "import sys; sys.modules['libcst'] = None; from tympan.cli.main import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", script, "migrate", "check", str(program)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 12
    assert done.stderr == (
        'tympan: this needs the package libcst, which is not installed; pip install "tympan[migrate]"\n'
    )
