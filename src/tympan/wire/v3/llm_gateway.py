"""The `llm_gateway` parameter: what a language model is asked about each finished turn. PURE: standard library only.

Rules:
- The value is a chat completion request, as the OpenAI-compatible services take it, and is passed on as it is, but that
  `{{turn}}` in the text of a message stands for the transcript of the turn.
- What a request may grow to is bounded: by the number of places for the transcript, and as a whole.
- An answer is the service's own JSON object, passed on as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tympan.core.errors import BadParameter, MalformedMessage
from tympan.wire.codec import parse_json, read_object
from tympan.wire.v3.messages import SERVER_CODEC, LLMGatewayResponse, Turn

PLACE = "{{turn}}"
MAX_PLACES = 8
MAX_MESSAGES = 64
MAX_MODEL_CHARS = 200
MAX_TOKENS = 1_000_000
MAX_LEVELS = 32
MAX_REQUEST_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class _Message:
    role: str
    content: str


@dataclass(frozen=True, slots=True)
class _Request:
    """What is looked at of a request."""

    model: str
    messages: tuple[_Message, ...]
    max_tokens: int | None = None
    stream: bool | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one turn: the JSON text of the request."""

    turn_order: int
    transcript: str = field(repr=False)
    request: bytes = field(repr=False)

    @property
    def is_too_long(self) -> bool:
        """No service would take it."""
        return len(self.request) > MAX_REQUEST_BYTES

    def response(self, answer: bytes) -> str:
        """The text message that brings a service's answer to the client.

        Raises:
            MalformedMessage: the answer is no JSON object, or nested too deep to be passed on.
        """
        data = parse_json(answer)
        if not isinstance(data, dict):
            raise MalformedMessage("expected a JSON object")
        try:
            return SERVER_CODEC.encode(LLMGatewayResponse(self.turn_order, self.transcript, data))
        except (RecursionError, ValueError):
            raise MalformedMessage("expected JSON that is nested less deep, with numbers that JSON has") from None


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a client wants to be asked. `document` is its request as it came, and passed `prompt_objection`."""

    document: Mapping[str, Any] = field(repr=False)

    def question(self, final: str) -> Question:
        """What to ask about a turn, given the JSON text of its last message.

        Raises:
            ProtocolError: the text is no `Turn`.
        """
        turn = SERVER_CODEC.decode(final)
        if not isinstance(turn, Turn):
            raise MalformedMessage("expected a Turn")
        filled = [
            {**message, "content": message["content"].replace(PLACE, turn.transcript)}
            for message in self.document["messages"]
        ]
        request = json.dumps({**self.document, "messages": filled}, separators=(",", ":"))
        return Question(turn.turn_order, turn.transcript, request.encode())


def prompt_objection(document: Mapping[str, Any]) -> str | None:
    """Why this can't be asked, or None."""
    if not document:
        return None
    try:
        request = read_object(_Request, document)
    except BadParameter as error:
        return f"{error.name}: {error.reason}"
    if not 0 < len(request.model) <= MAX_MODEL_CHARS:
        return f"model: expected a name of at most {MAX_MODEL_CHARS} characters"
    if not 0 < len(request.messages) <= MAX_MESSAGES:
        return f"messages: expected 1 to {MAX_MESSAGES}"
    if sum(message.content.count(PLACE) for message in request.messages) > MAX_PLACES:
        return f"messages: {PLACE} may stand in {MAX_PLACES} places at most"
    if request.max_tokens is not None and not 0 < request.max_tokens <= MAX_TOKENS:
        return f"max_tokens: expected 1 to {MAX_TOKENS:,}"
    if request.stream:
        return "stream: an answer comes whole; leave it out"
    return _json_objection(document)


def _json_objection(document: Mapping[str, Any]) -> str | None:
    """What is passed on unread must be JSON again, whoever writes it."""
    if _is_deeper(document, MAX_LEVELS):
        return f"nested deeper than {MAX_LEVELS} levels"
    try:
        json.dumps(document, allow_nan=False)
    except ValueError:
        return "holds a number that JSON doesn't have"
    return None


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inner)
