"""How a program with callbacks runs: its audio loops, the event that stops them, the thread of its connection. PURE."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tympan.migrate.document import Edit
from tympan.migrate.matching.names import is_call_of, is_name_free
from tympan.migrate.matching.sockets import Library, Opening, is_socket, library_of, openings
from tympan.migrate.matching.source import Function, PythonDocument

STOP_EVENT = "stop_event"
_SENDS = frozenset({"send", "send_binary", "send_bytes", "send_text"})


def app(code: PythonDocument) -> Opening | None:
    """The connection with callbacks, if the file opens exactly one."""
    found = [opening for opening in openings(code) if opening.library is Library.APP]
    return found[0] if len(found) == 1 else None


def is_endless(code: PythonDocument, loop: cst.While) -> bool:
    """`while True`, `while 1`, which nothing but an error leaves."""
    if code.source(loop.test) not in ("True", "1"):
        return False
    return not any(_leaves(code, way_out, loop) for way_out in code.nodes(cst.Break, cst.Return))


def _leaves(code: PythonDocument, way_out: cst.CSTNode, loop: cst.While) -> bool:
    """Whether a `break` or `return` belongs to this loop, and stands in no `except`."""
    for above in code.ancestors(way_out):
        if above is loop:
            return True
        is_other = isinstance(above, cst.FunctionDef | cst.ExceptHandler)
        if is_other or (isinstance(way_out, cst.Break) and isinstance(above, cst.For | cst.While)):
            return False
    return False


def sends_within(code: PythonDocument, node: cst.CSTNode) -> Iterator[cst.Call]:
    """Calls inside a node that send to the service."""
    for call in code.nodes(cst.Call):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value in _SENDS and node in code.ancestors(call):
            socket = call.func.value
            if is_socket(code, socket) or library_of(code, socket) in (Library.APP, Library.CLIENT):
                yield call


def method_class(code: PythonDocument, node: cst.CSTNode) -> cst.ClassDef | None:
    """The class in whose method it stands, also in a function inside the method."""
    functions = [above for above in code.ancestors(node) if isinstance(above, cst.FunctionDef)]
    owner = code.enclosing(functions[-1], cst.ClassDef) if functions else None
    names = [parameter.name.value for parameter in functions[-1].params.params] if functions else []
    return owner if names[:1] == ["self"] else None


def callback(code: PythonDocument, opening: Opening, name: str) -> cst.FunctionDef | None:
    """The function of the file that is called back for this, if it is exactly one `def`."""
    found = opening.callbacks.get(name, [])
    function: Function | None = found[0] if len(found) == 1 else None
    return function if isinstance(function, cst.FunctionDef) else None


def free_event_name(code: PythonDocument) -> str:
    """A name for the event that stops the audio."""
    return STOP_EVENT if is_name_free(code, STOP_EVENT) else "audio_stop_event"


def defined(code: PythonDocument, line: str) -> Edit | None:
    """A variable of the module more: below the last plain statement above its first function or class."""
    last: cst.SimpleStatementLine | None = None
    for statement in code.module.body:
        if isinstance(statement, cst.FunctionDef | cst.ClassDef):
            break
        if isinstance(statement, cst.SimpleStatementLine):
            last = statement
    if last is None:
        return None
    is_import = isinstance(last.body[0], cst.Import | cst.ImportFrom)
    return code.insert_after(last, *([""] if is_import else []), line)


def runs(code: PythonDocument) -> list[cst.Call]:
    """Calls of `run_forever` in this thread."""
    return [
        call
        for call in code.nodes(cst.Call)
        if isinstance(call.func, cst.Attribute)
        and call.func.attr.value == "run_forever"
        and library_of(code, call.func.value) in (Library.APP, Library.CLIENT)
    ]


def connection_thread(code: PythonDocument) -> str | None:
    """The variable with the thread that runs the connection: `t = Thread(target=ws.run_forever)`."""
    for call in code.nodes(cst.Call):
        if not is_call_of(code, call, "threading.Thread"):
            continue
        target = next(
            (arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "target"), None
        )
        is_run = isinstance(target, cst.Attribute) and target.attr.value == "run_forever"
        parent = code.parent(call)
        if is_run and isinstance(parent, cst.Assign) and len(parent.targets) == 1:
            return code.source(parent.targets[0].target)
    return None
