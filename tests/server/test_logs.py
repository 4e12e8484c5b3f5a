"""How a log line looks."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tympan.server.logs import LOGGERS, FieldFormatter, set_up_logging


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Takes back what is done to the loggers of this process."""
    yield
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    logging.getLogger("tympan").setLevel(logging.NOTSET)


@pytest.mark.usefixtures("own_logging")
def test_a_library_that_sets_up_logging_for_itself_doubles_no_line(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    set_up_logging("info")
    logging.getLogger("tympan.server").info("session began")
    assert capsys.readouterr().err.count("session began") == 1
    assert caplog.text == "", "the root logger, with whatever handler it has been given, was told as well"


def test_fields_follow_the_message() -> None:
    record = logging.makeLogRecord(
        {"msg": "session ended", "levelname": "INFO", "audio_s": 2.0, "why": "the client left", "turns": 1}
    )
    assert FieldFormatter().format(record).endswith("INFO session ended audio_s=2.000 why='the client left' turns=1")


def test_a_field_never_breaks_the_line() -> None:
    record = logging.makeLogRecord({"msg": "session refused", "levelname": "INFO", "why": "a\nb\x1b[31m"})
    assert FieldFormatter().format(record).endswith(r"why='a\nb\x1b[31m'")
