"""How a log line looks."""

from __future__ import annotations

import logging

from tympan.server.logs import FieldFormatter


def test_fields_follow_the_message() -> None:
    record = logging.makeLogRecord(
        {"msg": "session ended", "levelname": "INFO", "audio_s": 2.0, "why": "the client left", "turns": 1}
    )
    assert FieldFormatter().format(record).endswith("INFO session ended audio_s=2.000 why='the client left' turns=1")


def test_a_field_never_breaks_the_line() -> None:
    record = logging.makeLogRecord({"msg": "session refused", "levelname": "INFO", "why": "a\nb\x1b[31m"})
    assert FieldFormatter().format(record).endswith(r"why='a\nb\x1b[31m'")
