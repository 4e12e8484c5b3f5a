"""The protocol versions that are served. A connection is told which one it speaks; all else is shared.

To add a version: a class here with the shape of `ProtocolVersion`, and a route in `app`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from tympan.core.config import SessionConfig
from tympan.dsp.decode import check_decodable
from tympan.dsp.focus import can_focus
from tympan.formatting.pipeline import EnglishWording
from tympan.wire.server_protocol import Farewell, ResumeRequest, ServerProtocol
from tympan.wire.v2 import params as v2_params
from tympan.wire.v2.server import V2ServerProtocol
from tympan.wire.v2.server import farewell as v2_farewell
from tympan.wire.v3 import params as v3_params
from tympan.wire.v3.llm_gateway import Prompt
from tympan.wire.v3.parameters.features import VOICE_FOCUS
from tympan.wire.v3.server import V3ServerProtocol
from tympan.wire.v3.server import farewell as v3_farewell
from tympan.wire.v3.webhook import Webhook


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks for: the session, the protocol object that will speak for it, and log fields that
    tell what of it has no effect. The fields hold no credential. `is_resumable`: keep it when its client is lost.
    `webhook`: post its finals when it is over. `prompt`: ask a language model about each turn."""

    config: SessionConfig
    protocol: ServerProtocol
    remarks: Mapping[str, object] = field(default_factory=dict)
    is_resumable: bool = False
    webhook: Webhook | None = None
    prompt: Prompt | None = None


class ProtocolVersion(Protocol):
    """How one version of the protocol begins, and how it refuses."""

    @property
    def name(self) -> str:
        """As the log calls it."""

    def token(self, query: str) -> str | None:
        """The credential in a query string, whatever else is in there: who asks is judged before what is asked.

        Raises:
            ProtocolError: the query can't be read.
        """

    def resume_request(self, query: str) -> ResumeRequest | None:
        """Which session the client wants to go on with, whatever else is in the query; None begins a new one.

        Raises:
            ProtocolError: the query can't be read.
        """

    def read(self, query: str, headers: Mapping[str, str], defaults: SessionConfig) -> Asked:
        """What a client asks for; `defaults` hold for what it leaves out.

        Raises:
            ProtocolError: a value that can't be used.
        """

    def farewell(self, error: Exception | None) -> Farewell:
        """How a connection ends whose session never began."""


class V3:
    """The streaming protocol v3."""

    name = "v3"

    def token(self, query: str) -> str | None:
        return v3_params.query_token(query)

    def resume_request(self, query: str) -> ResumeRequest | None:
        return v3_params.query_resume(query)

    def read(self, query: str, headers: Mapping[str, str], defaults: SessionConfig) -> Asked:
        config, options = v3_params.parse_query(
            query,
            defaults=defaults,
            strict=defaults.limits.is_strict,
            api_version=headers.get("assemblyai-version"),
        )
        check_decodable(config.audio)
        without_effect = options.without_effect
        if config.focus is not None and not can_focus():
            config = replace(config, focus=None)
            without_effect += (VOICE_FOCUS.name,)
        remarks: dict[str, object] = {}
        if options.requested_model is not None or without_effect:
            remarks = {"requested_model": options.requested_model, "without_effect": without_effect}
        protocol = V3ServerProtocol(config, options, EnglishWording())
        return Asked(
            config,
            protocol,
            remarks,
            is_resumable=options.is_resumable,
            webhook=options.webhook,
            prompt=options.prompt,
        )

    def farewell(self, error: Exception | None) -> Farewell:
        return v3_farewell(error)


class V2:
    """The legacy real-time protocol. `unix_clock` gives seconds since 1970."""

    name = "v2"

    def __init__(self, unix_clock: Callable[[], float]) -> None:
        self._unix_clock = unix_clock

    def token(self, query: str) -> str | None:
        return v2_params.query_token(query)

    def resume_request(self, query: str) -> ResumeRequest | None:
        return None  # v2 has no such thing

    def read(self, query: str, headers: Mapping[str, str], defaults: SessionConfig) -> Asked:
        config, options = v2_params.parse_query(query, defaults=defaults, strict=defaults.limits.is_strict)
        remarks = {"without_effect": options.without_effect} if options.without_effect else {}
        return Asked(config, V2ServerProtocol(config, options, EnglishWording(), self._unix_clock), remarks)

    def farewell(self, error: Exception | None) -> Farewell:
        return v2_farewell(error)
