"""The compatibility report: all there is in the protocol, and what this server does with it beside the hosted
service. PURE; `render` returns Markdown.

Everything comes from the tables that the code runs on: parameters and rules for close codes hold their own state and
difference. What those can't tell, since it isn't ours, is in `v3/hosted.py` and `v2/hosted.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tympan.core.config import SessionLimits
from tympan.wire.close_codes import V2_GRACEFUL, V2_NEVER_SENT, V2_RULES, V3_GRACEFUL, V3_RULES, EndingRule
from tympan.wire.parameter import Parameter, State
from tympan.wire.reference import NOTICE, table
from tympan.wire.v2 import hosted as v2_hosted
from tympan.wire.v2 import messages as v2_messages
from tympan.wire.v2.client_messages import FORMS
from tympan.wire.v2.params import PARAMETERS as V2_PARAMETERS
from tympan.wire.v2.params import STRICT_CHUNK_MS as V2_CHUNK_MS
from tympan.wire.v3 import hosted as v3_hosted
from tympan.wire.v3 import messages as v3_messages
from tympan.wire.v3.parameters import PARAMETERS as V3_PARAMETERS
from tympan.wire.v3.params import STRICT_CHUNK_MS as V3_CHUNK_MS

_INTRODUCTION = """\
# Compatibility report

What this server does with each part of the protocol, beside the hosted service. *Same*: as there, but for the
difference that is named. *Accepted without effect*: checked, and nothing comes of it. *Refused*: too important to
ignore, and not available yet. *Not yet*: the hosted service sends it, this server doesn't. *Never sent*: it tells of
what this server doesn't have. *Extension*: this server's own; a client that doesn't ask for it sees nothing of it.
*Strict refuses* is what a server with [`--strict`](../howto/test-double.md#strict) refuses and another doesn't.

Values, defaults and texts are in the references of [v3](protocol.md) and [v2](protocol-v2.md).

"""


@dataclass(frozen=True, slots=True)
class Address:
    """Where something is served. `method` is an HTTP method or `WebSocket`; the first path is the usual one."""

    method: str
    paths: tuple[str, ...]
    state: State
    difference: str = ""
    strict: str = ""


_WEBSOCKET_CODES = {
    1002: "a frame that breaks the WebSocket protocol",
    1007: "a text message that isn't UTF-8",
    1009: "a WebSocket message longer than the server's `max_message_bytes`",
}
"""What the WebSocket layer ends a connection with, in any version: no session is asked, and no message says why."""

_Row = tuple[str, State, str, str]
"""Name, state, difference, and what strict refuses."""


def render(addresses: Iterable[Address]) -> str:
    """The whole page."""
    parts = [
        NOTICE,
        _INTRODUCTION,
        _section("Addresses", "Address", map(_address_row, addresses)),
        _section("v3: connection parameters", "Parameter", map(_parameter_row, V3_PARAMETERS)),
        _section("v3: client messages", "Message", _v3_client_rows()),
        _section("v3: server messages", "Message", _v3_server_rows()),
        _close_codes("v3: close codes", V3_GRACEFUL.code, V3_RULES, v3_hosted.CLOSE_CODES, {}),
        _section("v2: connection parameters", "Parameter", map(_parameter_row, V2_PARAMETERS)),
        _section("v2: client messages", "Message", _v2_client_rows()),
        _section("v2: server messages", "Message", _v2_server_rows()),
        _close_codes("v2: close codes", V2_GRACEFUL.code, V2_RULES, v2_hosted.CLOSE_CODES, V2_NEVER_SENT),
    ]
    return "".join(parts).rstrip() + "\n"


def _address_row(address: Address) -> _Row:
    name = f"{address.method} " + ", ".join(f"`{path}`" for path in address.paths)
    return name, address.state, address.difference, address.strict


def _parameter_row(parameter: Parameter[Any]) -> _Row:
    name = ", ".join(f"`{name}`" for name in parameter.names)
    difference = parameter.difference or ("" if parameter.state is State.SAME else parameter.summary)
    return name, parameter.state, difference.replace("](#", "](protocol.md#"), parameter.strict_note


def _v3_client_rows() -> list[_Row]:
    ours = (*v3_messages.CLIENT_TYPES, *v3_messages.RESUME_CLIENT_TYPES)
    strict = {"UpdateConfiguration": "what it refuses of the parameters"}
    named = _message_rows(ours, v3_hosted.CLIENT_MESSAGES, v3_hosted.DIFFERENCES, strict)
    return [_audio_row("audio: a binary message", V3_CHUNK_MS), *named]


def _v3_server_rows() -> list[_Row]:
    ours = (*v3_messages.SERVER_TYPES, *v3_messages.RESUME_SERVER_TYPES)
    return _message_rows(ours, v3_hosted.SERVER_MESSAGES, v3_hosted.DIFFERENCES, {})


def _v2_client_rows() -> list[_Row]:
    strict = {'{"end_utterance_silence_threshold": MS}': "a number out of range, else clamped"}
    audio = _audio_row("audio: a binary message, or base64", V2_CHUNK_MS)
    return [audio, *_message_rows(tuple(FORMS), tuple(FORMS), {}, strict)]


def _v2_server_rows() -> list[_Row]:
    ours = (*v2_messages.SERVER_TYPES, v2_messages.Error.__name__)
    return _message_rows(ours, ours, v2_hosted.DIFFERENCES, {})


def _message_rows(
    ours: tuple[str, ...],
    theirs: tuple[str, ...],
    differences: Mapping[str, str],
    strict: Mapping[str, str],
) -> list[_Row]:
    missing = tuple(name for name in theirs if name not in ours)
    return [
        (f"`{name}`", _message_state(name, ours, theirs), differences.get(name, ""), strict.get(name, ""))
        for name in (*ours, *missing)
    ]


def _message_state(name: str, ours: Collection[str], theirs: Collection[str]) -> State:
    if name not in theirs:
        return State.EXTENSION
    if name not in ours:
        return State.NOT_YET
    return State.NEVER if name in v3_hosted.NEVER_SENT else State.SAME


def _audio_row(name: str, chunk_ms: tuple[int, int]) -> _Row:
    low_ms, high_ms = chunk_ms
    return (
        name,
        State.SAME,
        f"a message may hold anything up to {SessionLimits().max_chunk_ms:,} ms, and come as fast as audio is judged",
        f"raw audio: above {high_ms:,} ms; a second of them below {low_ms} ms; the pace, see close codes",
    )


def _close_codes(
    title: str, graceful: int, rules: Iterable[EndingRule], hosted: Collection[int], never: Mapping[int, str]
) -> str:
    rows = [(str(graceful), "the session ended as it was asked to", State.SAME.value, "")]
    rows += [
        (str(rule.code), rule.when, (State.SAME if rule.code in hosted else State.EXTENSION).value, rule.difference)
        for rule in rules
    ]
    unasked = (State.EXTENSION.value, "no message says why; what the hosted service does then isn't known")
    rows += [(str(code), when, *unasked) for code, when in _WEBSOCKET_CODES.items()]
    rows += [(str(code), text, State.NEVER.value, "") for code, text in never.items()]
    return f"## {title}\n\n" + table(("Code", "When", "State", "Difference"), rows)


def _section(title: str, head: str, rows: Iterable[_Row]) -> str:
    cells = ((name, state.value, difference, strict) for name, state, difference, strict in rows)
    return f"## {title}\n\n" + table((head, "State", "Difference", "Strict refuses"), cells)
