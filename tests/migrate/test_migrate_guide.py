"""The vendor's migration guide: its old program becomes what it says, its finished one is left in peace."""

from __future__ import annotations

from pathlib import Path

from migration import fixed, found

GUIDE = Path(__file__).with_name("guide")
BEFORE = (GUIDE / "before.txt").read_text(encoding="utf-8")


def test_the_finished_program_has_no_finding() -> None:
    assert found((GUIDE / "finished.txt").read_text(encoding="utf-8")) == []


def test_the_old_program_is_moved_as_a_whole_by_safe_fixes() -> None:
    outcome = fixed(BEFORE)
    assert outcome.document.text == (GUIDE / "after.txt").read_text(encoding="utf-8")
    assert outcome.left == ()


def test_the_moved_program_has_no_finding_and_is_not_moved_again() -> None:
    after = fixed(BEFORE).document.text
    assert found(after) == []
    assert fixed(after, with_unsafe=True).document.text == after


def test_the_users_key_and_names_are_kept() -> None:
    after = fixed(BEFORE).document.text
    for kept in (
        'YOUR_API_KEY = "YOUR-API-KEY"  # Replace with your actual API key',
        "header={'Authorization'",
        "msg_type",
    ):
        assert kept in after


def test_every_point_of_the_guides_checklist_that_the_old_program_lacks_is_found() -> None:
    codes = {finding.code for finding in found(BEFORE)}
    assert codes == {
        "TM001",  # endpoint and host
        "TM002",  # urlencoded parameters, format_turns
        "TM003",  # 50 ms
        "TM004",  # stop event
        "TM005",  # message_type
        "TM006",  # Begin, Turn
        "TM008",  # field names
        "TM011",  # errors
        "TM015",  # clean-up
        "TM016",  # graceful shutdown
    }


def test_another_host_is_written_where_it_is_asked_for() -> None:
    assert "'ws://localhost:8000/v3/ws?'" in fixed(BEFORE, "ws://localhost:8000").document.text
    assert "'wss://speech.example/v3/ws?'" in fixed(BEFORE, "speech.example").document.text
