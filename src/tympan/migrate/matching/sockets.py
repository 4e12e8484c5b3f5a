"""Which expressions are connections to the service, of which library, and which functions they call back. PURE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

import libcst as cst

from tympan.migrate.matching.calls import called_functions
from tympan.migrate.matching.evidence import speaks_v2
from tympan.migrate.matching.names import (
    argument,
    functions_named,
    parameters,
    qualified,
    variable_key,
)
from tympan.migrate.matching.source import Function, PythonDocument
from tympan.migrate.matching.strings import UNKNOWN, flat, pieces


class Library(Enum):
    """How a program speaks WebSocket; the value is what it imports."""

    APP = "websocket.WebSocketApp"
    """websocket-client with callbacks."""
    CLIENT = "websocket"
    """websocket-client, called by the program."""
    WEBSOCKETS = "websockets"
    AIOHTTP = "aiohttp"


_OPENERS = {
    "websocket.WebSocketApp": Library.APP,
    "websocket.create_connection": Library.CLIENT,
    "websockets.connect": Library.WEBSOCKETS,
    "websockets.client.connect": Library.WEBSOCKETS,
    "websockets.asyncio.client.connect": Library.WEBSOCKETS,
    "websockets.legacy.client.connect": Library.WEBSOCKETS,
    "websockets.sync.client.connect": Library.WEBSOCKETS,
}
_CALLBACKS = ("on_open", "on_message", "on_error", "on_close")
_POSITIONS = {"on_open": 2, "on_message": 3, "on_error": 4, "on_close": 5}
_PATHS = ("/v2/realtime/ws", "/v3/ws")


@dataclass(frozen=True, slots=True)
class Opening:
    """A call that opens a connection to the service."""

    call: cst.Call
    library: Library
    address: cst.BaseExpression | None
    callbacks: dict[str, list[Function]] = field(default_factory=dict)


def openings(code: PythonDocument) -> list[Opening]:
    """Every connection to the service that the file opens."""
    if "openings" not in code.memo:
        code.memo["openings"] = [o for call in code.nodes(cst.Call) if (o := _opening(code, call)) is not None]
    found: list[Opening] = code.memo["openings"]
    return found


def library_of(code: PythonDocument, node: cst.BaseExpression) -> Library | None:
    """The library whose connection an expression is. Where the program doesn't tell: the only one it imports."""
    return _sockets(code).get(variable_key(code, node)) or _only_library(code)


def is_socket(code: PythonDocument, node: cst.BaseExpression) -> bool:
    """Whether the file shows that an expression is a connection to the service."""
    return variable_key(code, node) in _sockets(code)


def _opening(code: PythonDocument, call: cst.Call) -> Opening | None:
    library = _OPENERS.get(qualified(code, call.func))
    if isinstance(call.func, cst.Attribute) and call.func.attr.value == "ws_connect":
        library = Library.AIOHTTP
    if library is None:
        return None
    address = argument(call, "url" if library is not Library.WEBSOCKETS else "uri", 0)
    if not _is_ours(code, address):
        return None
    return Opening(call, library, address, _callbacks(code, call) if library is Library.APP else {})


def _is_ours(code: PythonDocument, address: cst.BaseExpression | None) -> bool:
    """An address that the file doesn't tell is taken for ours where the file speaks v2."""
    text = UNKNOWN if address is None else flat(pieces(code, address))
    is_elsewhere = text.startswith((UNKNOWN, f"wss://{UNKNOWN}", f"ws://{UNKNOWN}"))
    return any(path in text for path in _PATHS) or (is_elsewhere and speaks_v2(code))


def _callbacks(code: PythonDocument, call: cst.Call) -> dict[str, list[Function]]:
    """From keywords, and from `ws.on_open = …` afterwards."""
    given = {name: argument(call, name, _POSITIONS[name]) for name in _CALLBACKS}
    found = {name: functions_named(code, value) for name, value in given.items() if value is not None}
    for assign in code.nodes(cst.Assign):
        target = assign.targets[0].target
        if isinstance(target, cst.Attribute) and target.attr.value in _CALLBACKS:
            found.setdefault(target.attr.value, []).extend(functions_named(code, assign.value))
    return found


def _sockets(code: PythonDocument) -> dict[tuple[object, ...], Library]:
    """Variables that hold a connection: where it is assigned, entered, given to a callback or passed on."""
    if "sockets" not in code.memo:
        found: dict[tuple[object, ...], Library] = {}
        for opening in openings(code):
            for target in _targets(code, opening.call):
                found[variable_key(code, target)] = opening.library
            for functions in opening.callbacks.values():
                for function in functions:
                    _take_parameter(code, function, 0, opening.library, found)
        while _pass_on(code, found):
            pass
        code.memo["sockets"] = found
    sockets: dict[tuple[object, ...], Library] = code.memo["sockets"]
    return sockets


def _targets(code: PythonDocument, call: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    parent = code.parent(call)
    match parent:
        case cst.Await():
            yield from _targets(code, parent)
        case cst.Assign():
            yield from (target.target for target in parent.targets)
        case cst.AnnAssign() | cst.NamedExpr():
            yield parent.target
        case cst.WithItem(asname=cst.AsName(name=name)):
            if isinstance(name, cst.Name | cst.Attribute):
                yield name
        case cst.For():  # `async for ws in websockets.connect(…)` reconnects
            yield parent.target


def _pass_on(code: PythonDocument, found: dict[tuple[object, ...], Library]) -> bool:
    """One step of following assignments and calls; whether something is new."""
    before = len(found)
    for assign in code.nodes(cst.Assign):
        library = _known(code, assign.value, found)
        if library is not None:
            for target in assign.targets:
                found.setdefault(variable_key(code, target.target), library)
    for call in code.nodes(cst.Call):
        for position, arg in enumerate(call.args):
            library = _known(code, arg.value, found)
            if library is not None and arg.keyword is None:
                for function in called_functions(code, call):
                    _take_parameter(code, function, position, library, found)
    return len(found) > before


def _known(code: PythonDocument, node: cst.BaseExpression, found: dict[tuple[object, ...], Library]) -> Library | None:
    return found.get(variable_key(code, node)) if isinstance(node, cst.Name | cst.Attribute) else None


def _take_parameter(
    code: PythonDocument,
    function: Function,
    position: int,
    library: Library,
    found: dict[tuple[object, ...], Library],
) -> None:
    names = parameters(function)
    if position < len(names):
        params = (*function.params.posonly_params, *function.params.params)
        node = next(param.name for param in params if param.name.value == names[position])
        found.setdefault(variable_key(code, node), library)


def _only_library(code: PythonDocument) -> Library | None:
    roots = set()
    for node in code.nodes(cst.Import):
        roots |= {qualified_root(alias.name) for alias in node.names}
    for source in code.nodes(cst.ImportFrom):
        if source.module is not None:
            roots.add(qualified_root(source.module))
    libraries = [lib for lib in (Library.CLIENT, Library.WEBSOCKETS, Library.AIOHTTP) if lib.value in roots]
    return libraries[0] if len(libraries) == 1 else None


def qualified_root(node: cst.BaseExpression) -> str:
    """The first name of a dotted one."""
    while isinstance(node, cst.Attribute):
        node = node.value
    return node.value if isinstance(node, cst.Name) else ""
