"""How log lines look on standard error: time, level, message, then the fields as `name=value`.

Messages are constant and data is in fields, so a line is easy to search and never holds audio, text of a
transcript or credentials: no field of the server's own lines does.
"""

from __future__ import annotations

import logging

LOGGERS = ("tympan", "uvicorn")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class FieldFormatter(logging.Formatter):
    """Appends a record's fields to its line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's own name)
        """The line without a traceback."""
        fields = (f" {name}={_shown(value)}" for name, value in vars(record).items() if name not in _STANDARD)
        return super().formatMessage(record) + "".join(fields)


def set_up_logging(level: str) -> None:
    """Log to standard error from `level` on, each line once: our own, and uvicorn's warnings."""
    stream = logging.StreamHandler()
    stream.setFormatter(FieldFormatter())
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [stream]
        logger.propagate = False  # the quantizer, on the first start, gives the root logger a handler of its own
    logging.getLogger("tympan").setLevel(level.upper())


def _shown(value: object) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return repr(text) if " " in text or not text.isprintable() else text
