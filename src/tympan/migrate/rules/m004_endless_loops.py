"""TM004: loops that send audio for ever."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tympan.migrate.document import Edit
from tympan.migrate.matching.evidence import speaks_v2
from tympan.migrate.matching.imports import imported
from tympan.migrate.matching.lifecycle import (
    app,
    callback,
    defined,
    free_event_name,
    is_endless,
    method_class,
    runs,
    sends_within,
)
from tympan.migrate.matching.sockets import Opening
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_ADVICE = "Loop until an event is set, and set it in on_close and on_error."
_URL = "'wss://api.assemblyai.com/v2/realtime/ws?sample_rate=16000'"


class EndlessLoops(Rule[PythonDocument]):
    code = "TM004"
    title = "Audio loops end with the session"
    what = (
        "`while True` around the sending of audio in a thread, in programs with callbacks (`WebSocketApp`). The fix "
        "loops until an event is set, and sets it in `on_close` and `on_error`; where the connection is opened again "
        "and again, `on_open` clears it. Loops in coroutines end by cancellation and aren't meant."
    )
    why = "The thread reads and sends on after the session has ended, and keeps the microphone and the process."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (
        Valid("while True:\n    data = queue.get()\nENDED = 'SessionTerminated'\n"),
        Valid("async def send(ws):\n    while True:\n        await ws.send(data)\nENDED = 'SessionTerminated'\n"),
    )
    invalid = (
        Invalid(
            "import websocket\nfrom threading import Thread\n\nRATE = 16000\n\n\n"
            "def on_open(ws):\n    def stream_audio():\n        while True:\n"
            "            ws.send(stream.read(800), websocket.ABNF.OPCODE_BINARY)\n"
            "    Thread(target=stream_audio).start()\n\n\n"
            "def on_error(ws, error):\n    print(error)\n\n\n"
            "def on_close(ws, status, msg):\n    '''It is over.'''\n    print(msg)\n\n\n"
            f"ws = websocket.WebSocketApp({_URL}, on_open=on_open, on_error=on_error, on_close=on_close)\n"
            "ws.run_forever()\n",
            "import websocket\nfrom threading import Thread, Event\n\nRATE = 16000\n"
            "stop_event = Event()  # tells the audio thread to stop\n\n\n"
            "def on_open(ws):\n    def stream_audio():\n        while not stop_event.is_set():\n"
            "            ws.send(stream.read(800), websocket.ABNF.OPCODE_BINARY)\n"
            "    Thread(target=stream_audio).start()\n\n\n"
            "def on_error(ws, error):\n    stop_event.set()\n    print(error)\n\n\n"
            "def on_close(ws, status, msg):\n    '''It is over.'''\n    stop_event.set()\n    print(msg)\n\n\n"
            f"ws = websocket.WebSocketApp({_URL}, on_open=on_open, on_error=on_error, on_close=on_close)\n"
            "ws.run_forever()\n",
        ),
        Invalid(
            "import websocket\n\n\nclass Live:\n    def __init__(self):\n        self.ws = None\n\n"
            "    def talk(self):\n        while True:\n            self.ws.send(b'', 2)\n\n"
            "    def on_close(self, ws, status, msg):\n        print(msg)\n\n"
            f"    def run(self):\n        self.ws = websocket.WebSocketApp({_URL}, on_close=self.on_close)\n"
            "        while not self.done:\n            self.ws.run_forever()\n\n"
            "    def on_open(self, ws):\n        start(self.talk)\n",
            None,
            about="opened again and again, but nothing is called back on opening",
        ),
        Invalid(
            "import threading\nimport websocket\n\n\nclass Live:\n    def __init__(self):\n        self.ws = None\n\n"
            "    def talk(self):\n        while True:\n            self.ws.send(b'', 2)\n\n"
            "    def on_close(self, ws, status, msg):\n        print(msg)\n\n"
            f"    def run(self):\n        self.ws = websocket.WebSocketApp({_URL}, on_close=self.on_close)\n"
            "        self.ws.run_forever()\n",
            "import threading\nimport websocket\n\n\nclass Live:\n    def __init__(self):\n"
            "        self.stop_event = threading.Event()\n        self.ws = None\n\n"
            "    def talk(self):\n        while not self.stop_event.is_set():\n            self.ws.send(b'', 2)\n\n"
            "    def on_close(self, ws, status, msg):\n        self.stop_event.set()\n        print(msg)\n\n"
            f"    def run(self):\n        self.ws = websocket.WebSocketApp({_URL}, on_close=self.on_close)\n"
            "        self.ws.run_forever()\n",
            about="a class has its own event",
        ),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        opening = app(document) if speaks_v2(document) else None
        if opening is None:
            return
        for loop in document.nodes(cst.While):
            function = document.function(loop)
            is_thread = isinstance(function, cst.FunctionDef) and function.asynchronous is None
            if is_endless(document, loop) and is_thread and any(True for _ in sends_within(document, loop)):
                edits = _edits(document, loop, opening)
                span, message = document.span(loop.test), "this loop sends audio for ever"
                if edits is None:
                    yield self.by_hand(span, message, f"{_ADVICE} Here these functions aren't seen.")
                else:
                    yield self.fixable(span, message, _ADVICE, edits)


def _edits(code: PythonDocument, loop: cst.While, opening: Opening) -> list[Edit] | None:
    owner = method_class(code, loop)
    around = _functions_around(code, opening, owner)
    if any(function.decorators for function in around):
        return None  # each request has a session of its own; one event would stop them all
    name = free_event_name(code)
    event = f"self.{name}" if owner is not None else name
    maker, edits = imported(code, "threading", "Event", from_module=_from_threading(code))
    definition = _defined(code, owner, event, maker)
    stopped = [function for kind in ("on_close", "on_error") if (function := callback(code, opening, kind)) is not None]
    if definition is None or not stopped:
        return None
    edits += [definition, code.replace(loop.test, f"not {event}.is_set()")]
    for function in stopped:
        if (method_class(code, function.body) is not None) != (owner is not None):
            return None
        edit = code.insert_at_start(function, f"{event}.set()")
        if edit is None:
            return None
        edits.append(edit)
    if any(function.params.params for function in around):
        edits.append(code.insert_before(code.statement(opening.call), f"{event}.clear()"))
    if _is_repeated(code):
        opened = callback(code, opening, "on_open")
        edit = code.insert_at_start(opened, f"{event}.clear()") if opened is not None else None
        if edit is None:
            return None
        edits.append(edit)
    return edits


def _functions_around(code: PythonDocument, opening: Opening, owner: cst.ClassDef | None) -> list[cst.FunctionDef]:
    """The functions in which the connection is opened, where the event is a variable of the module."""
    if owner is not None:
        return []
    return [above for above in code.ancestors(opening.call) if isinstance(above, cst.FunctionDef)]


def _from_threading(code: PythonDocument) -> bool:
    """Whether the file imports names out of threading."""
    return any(
        statement.module is not None and code.source(statement.module) == "threading"
        for statement in code.nodes(cst.ImportFrom)
    )


def _defined(code: PythonDocument, owner: cst.ClassDef | None, event: str, maker: str) -> Edit | None:
    if owner is None:
        return defined(code, f"{event} = {maker}()  # tells the audio thread to stop")
    for function in code.nodes(cst.FunctionDef):
        if function.name.value == "__init__" and code.enclosing(function, cst.ClassDef) is owner:
            return code.insert_at_start(function, f"{event} = {maker}()")
    return None


def _is_repeated(code: PythonDocument) -> bool:
    """Whether the connection is opened more than once."""
    calls = runs(code)
    return any(code.enclosing(call, cst.While, cst.For) is not None or call.args for call in calls)
