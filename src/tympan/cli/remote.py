"""A server that speaks v3 as a service. Imported on use."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from tympan.cli.converse import Conversation
from tympan.client.aio import connect
from tympan.client.trust import Trust
from tympan.wire.v3.client import ParameterValue


@dataclass(frozen=True, slots=True)
class RemoteService:
    """A server; a session each time."""

    url: str
    api_key: str | None = field(repr=False)
    token: str | None = field(repr=False)
    trust: Trust
    speech_model: str | None
    is_remote = True

    def session(self, sample_rate_hz: int, *, wants_partials: bool) -> AbstractAsyncContextManager[Conversation]:
        parameters: dict[str, ParameterValue] = {
            "sample_rate": sample_rate_hz,
            "encoding": "pcm_s16le",
            "speech_model": self.speech_model,
            "format_turns": True,
            "include_partial_turns": wants_partials,
        }
        return connect(self.url, api_key=self.api_key, token=self.token, tls=self.trust, parameters=parameters)
