"""An engine in this process as a service. Imported on use: it needs the engine's packages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, closing, contextmanager
from dataclasses import dataclass

from tympan.cli.converse import Conversation
from tympan.cli.local_session import local_session
from tympan.core.audio import AudioFormat
from tympan.core.config import OutputConfig, SessionConfig
from tympan.engines import registry
from tympan.engines.base import Recognizer


@dataclass(frozen=True, slots=True)
class LocalService:
    """A loaded engine, for one session after the other."""

    recognizer: Recognizer
    is_remote = False

    def session(self, sample_rate_hz: int, *, wants_partials: bool) -> AbstractAsyncContextManager[Conversation]:
        output = OutputConfig(format_turns=True, include_partial_turns=wants_partials)
        return local_session(self.recognizer, SessionConfig(AudioFormat(sample_rate_hz=sample_rate_hz), output=output))


@contextmanager
def local_service(engine: str, model: str | None, options: Mapping[str, str]) -> Iterator[LocalService]:
    """Load an engine.

    Raises:
        ModelError: no such engine or model.
        SettingsError: the engine has no such option.
    """
    with closing(registry.load(engine, model, options)) as recognizer:
        yield LocalService(recognizer)
