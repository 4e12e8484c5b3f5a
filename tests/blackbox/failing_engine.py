"""An engine that breaks at the first audio. It runs in a server's process, never in the suite's."""

from __future__ import annotations

from collections.abc import Mapping

from tympan.core.errors import EngineError
from tympan.core.words import Report
from tympan.engines import registry
from tympan.engines.base import Recognizer, StreamOptions
from tympan.engines.scripted import Script, ScriptedRecognizer, ScriptedStream


class FailingStream(ScriptedStream):
    """Plays nothing and breaks."""

    def step(self) -> Report | None:
        report = super().step()
        if report is not None:
            raise EngineError("failing", "a secret of the machine room")
        return None


class FailingRecognizer(ScriptedRecognizer):
    """Opens streams that break."""

    name = "failing"

    def open_stream(self, options: StreamOptions) -> FailingStream:
        return FailingStream(Script())


def load(model: str | None, options: Mapping[str, str]) -> Recognizer:
    """The engine; it has no model."""
    return FailingRecognizer(Script(), "none")


def register() -> None:
    """Make it known under its name, in this process."""
    registry.ENGINES = {**registry.ENGINES, "failing": "failing_engine:load"}
