"""TM015: what is released when a session ends."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.audio import is_audio_system, is_device
from tympan.migrate.matching.evidence import speaks_v2
from tympan.migrate.matching.lifecycle import app, callback, defined, method_class, runs
from tympan.migrate.matching.names import is_call_of, is_module_level, uses, variable_key
from tympan.migrate.matching.sockets import Opening
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_RELEASES = frozenset({"stop_stream", "close", "terminate"})
_URL = "'wss://api.assemblyai.com/v2/realtime/ws?sample_rate=16000'"
_TAIL = (
    "\n\naudio = pyaudio.PyAudio()\nstream = audio.open(rate=16000, channels=1, input=True)\n"
    f"ws = websocket.WebSocketApp({_URL}, on_open=on_open, on_close=on_close)\n"
)
_HEAD = "import pyaudio\nimport websocket\nfrom threading import Thread\n\n\n"


class CleanUp(Rule[PythonDocument]):
    code = "TM015"
    title = "Audio is released once, whatever ends the session"
    what = (
        "An `on_close` that stops and closes the audio device as if it were always open, or a program that never "
        "does. The fix waits for the audio thread, then releases what is there, once: a connection that is closed "
        "twice, or before the device runs, is no error. Where no audio thread is seen to wait for, adding a release "
        "is unsafe; where nothing is called when the connection is closed, this is left to you."
    )
    why = "Releasing twice, or while the audio thread reads, raises in the middle of the clean-up, or crashes."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (
        Valid(
            _HEAD
            + "def on_open(ws):\n    pass\n\n\ndef on_close(ws, status, msg):\n    print(msg)\n"
            + _TAIL
            + "try:\n    ws.run_forever()\nfinally:\n    stream.close()\n    audio.terminate()\n",
            "released elsewhere",
        ),
    )
    invalid = (
        Invalid(
            _HEAD + "def on_open(ws):\n    audio_thread = Thread(target=stream_audio, daemon=True)\n"
            "    audio_thread.start()\n\n\n"
            "def on_close(ws, status, msg):\n    stream.stop_stream()\n    stream.close()\n    audio.terminate()\n"
            "    print('gone')\n" + _TAIL,
            "import pyaudio\nimport websocket\nfrom threading import Thread\n\n"
            "audio_thread = None  # started when the connection is open\n\n\n"
            "def on_open(ws):\n    global audio_thread\n"
            "    audio_thread = Thread(target=stream_audio, daemon=True)\n    audio_thread.start()\n\n\n"
            "def on_close(ws, status, msg):\n"
            "    global stream, audio\n"
            "    if audio_thread and audio_thread.is_alive():\n        audio_thread.join(timeout=1.0)\n"
            "    if stream:\n        if stream.is_active():\n            stream.stop_stream()\n"
            "        stream.close()\n        stream = None\n"
            "    if audio:\n        audio.terminate()\n        audio = None\n"
            "    print('gone')\n" + _TAIL,
        ),
        Invalid(
            _HEAD + "def on_open(ws):\n    pass\n\n\ndef on_close(ws, status, msg):\n    print(msg)\n" + _TAIL,
            _HEAD + "def on_open(ws):\n    pass\n\n\ndef on_close(ws, status, msg):\n    print(msg)\n"
            "    global stream, audio\n"
            "    if stream:\n        if stream.is_active():\n            stream.stop_stream()\n"
            "        stream.close()\n        stream = None\n"
            "    if audio:\n        audio.terminate()\n        audio = None\n" + _TAIL,
            is_unsafe=True,
            about="never released",
        ),
        Invalid(
            _HEAD + "def on_open(ws):\n    pass\n" + _TAIL.replace(", on_close=on_close", ""),
            None,
            about="never released, and nothing is called when the connection is closed",
        ),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        opening = app(document) if speaks_v2(document) else None
        if opening is None:
            return
        on_close = callback(document, opening, "on_close")
        group = _releases(document, on_close) if on_close is not None else []
        if group and on_close is not None and _is_only_place(document, group, on_close):
            span = Span(document.span(group[0]).start, document.span(group[-1]).end)
            edits = _released_once(document, opening, group)
            if edits is not None:
                message = "the audio device is released as if it were always open"
                yield self.fixable(span, message, "Release what is there, once, after the audio thread.", edits)
        elif not _is_released(document):
            for call in document.nodes(cst.Call):
                if is_call_of(document, call, "pyaudio.PyAudio"):
                    yield self._never(document, opening, on_close, call)

    def _never(
        self, code: PythonDocument, opening: Opening, on_close: cst.FunctionDef | None, call: cst.Call
    ) -> Finding:
        span, message = code.span(call), "the audio device is never released"
        edits = _added(code, opening, on_close) if on_close is not None else None
        if edits is None:
            advice = "Stop and close the stream, and terminate it, when the connection is closed."
            return self.by_hand(span, message, f"{advice} The place for that isn't seen.")
        is_safe = bool(_joined(code, opening)[1])
        return self.fixable(span, message, "Release it in on_close, after the audio thread.", edits, is_safe=is_safe)


def _resource(code: PythonDocument, node: cst.BaseExpression) -> cst.Name | cst.Attribute | None:
    """A variable of the module, or an attribute of `self`, with an audio device or system."""
    is_kept = isinstance(node, cst.Attribute) or (isinstance(node, cst.Name) and is_module_level(code, node))
    if is_kept and isinstance(node, cst.Name | cst.Attribute):
        return node if is_device(code, node) or is_audio_system(code, node) else None
    return None


def _released(code: PythonDocument, statement: cst.BaseStatement) -> cst.Name | cst.Attribute | None:
    """What a statement releases."""
    match statement:
        case cst.SimpleStatementLine(
            body=[cst.Expr(value=cst.Call(func=cst.Attribute(value=node, attr=method), args=[]))]
        ) if method.value in _RELEASES:
            return _resource(code, node)
    return None


def _releases(code: PythonDocument, function: cst.FunctionDef) -> list[cst.SimpleStatementLine]:
    """Statements of a function's body that release something, one after the other."""
    group: list[cst.SimpleStatementLine] = []
    for statement in function.body.body:
        if isinstance(statement, cst.SimpleStatementLine) and _released(code, statement) is not None:
            group.append(statement)
        elif group:
            break
    return group


def _is_only_place(code: PythonDocument, group: list[cst.SimpleStatementLine], function: cst.FunctionDef) -> bool:
    """Whether nothing else releases these, and the function doesn't use them before."""
    start = code.span(group[0]).start
    for released in [_released(code, statement) for statement in group]:
        for use in uses(code, released) if released is not None else ():
            is_here = code.function(use) is function
            method = code.parent(use)
            is_release = isinstance(method, cst.Attribute) and method.attr.value in _RELEASES
            if (is_here and code.span(use).start < start) or (is_release and not is_here):
                return False
    return True


def _is_released(code: PythonDocument) -> bool:
    return any(
        attribute.attr.value in _RELEASES and _resource(code, attribute.value) is not None
        for attribute in code.nodes(cst.Attribute)
    )


def _released_once(code: PythonDocument, opening: Opening, group: list[cst.SimpleStatementLine]) -> list[Edit] | None:
    """The statements of the group, made to release what is there."""
    if not all(code.is_on_own_lines(statement) for statement in group):
        return None
    methods: dict[str, list[str]] = {}
    for statement in group:
        released = _released(code, statement)
        if released is not None:
            methods.setdefault(code.source(released), []).append(_method(statement))
    edits, joined = _joined(code, opening)
    lines = _lines(code, methods, joined)
    span = Span(code.span(group[0]).start, code.span(group[-1]).end)
    return [*edits, Edit(span, (code.newline + code.indent(group[0])).join(lines))]


def _added(code: PythonDocument, opening: Opening, on_close: cst.FunctionDef) -> list[Edit] | None:
    """The release at the end of `on_close`, where a session is held once."""
    last = on_close.body.body[-1]
    is_plain = isinstance(on_close.body, cst.IndentedBlock) and isinstance(last, cst.SimpleStatementLine)
    is_repeated = any(code.enclosing(call, cst.While, cst.For) is not None for call in runs(code))
    if not is_plain or is_repeated or not isinstance(last, cst.SimpleStatementLine):
        return None
    methods: dict[str, list[str]] = {}
    for assign in code.nodes(cst.Assign):
        kept = _resource(code, assign.targets[0].target)
        if kept is not None:
            is_system = is_audio_system(code, kept)
            methods[code.source(kept)] = ["terminate"] if is_system else ["stop_stream", "close"]
    in_class = method_class(code, on_close.body)
    if not methods or any(name.startswith("self.") != (in_class is not None) for name in methods):
        return None
    ordered = dict(sorted(methods.items(), key=lambda item: "terminate" in item[1]))
    edits, joined = _joined(code, opening)
    return [*edits, code.insert_after(last, *_lines(code, ordered, joined))]


def _lines(code: PythonDocument, methods: dict[str, list[str]], joined: list[str]) -> list[str]:
    unit = code.indent_unit
    variables = [name for name in methods if "." not in name]
    lines = [f"global {', '.join(variables)}", *joined] if variables else joined
    for name, called in methods.items():
        lines = [*lines, f"if {name}:"]
        for method in called:
            if method == "stop_stream":
                lines += [f"{unit}if {name}.is_active():", f"{unit}{unit}{name}.stop_stream()"]
            else:
                lines.append(f"{unit}{name}.{method}()")
        lines.append(f"{unit}{name} = None")
    return lines


def _method(statement: cst.SimpleStatementLine) -> str:
    line = statement.body[0]
    assert isinstance(line, cst.Expr)
    assert isinstance(line.value, cst.Call)
    assert isinstance(line.value.func, cst.Attribute)
    return line.value.func.attr.value


def _joined(code: PythonDocument, opening: Opening) -> tuple[list[Edit], list[str]]:
    """The audio thread made a variable of the module, and the lines that wait for it; none if it isn't seen."""
    on_open = callback(code, opening, "on_open")
    for statement in on_open.body.body if on_open is not None else ():
        match statement:
            case cst.SimpleStatementLine(
                body=[cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as name)], value=cst.Call() as made)]
            ) if is_call_of(code, made, "threading.Thread"):
                lines = [
                    f"if {name.value} and {name.value}.is_alive():",
                    f"{code.indent_unit}{name.value}.join(timeout=1.0)",
                ]
                if is_module_level(code, name):
                    return [], lines
                others = [n for n in code.nodes(cst.Name) if n.value == name.value]
                is_free = all(variable_key(code, other) == variable_key(code, name) for other in others)
                variable = defined(code, f"{name.value} = None  # started when the connection is open")
                if variable is None or not is_free:
                    return [], []
                made_global = code.insert_before(statement, f"global {name.value}")
                return [variable, made_global], lines
    return [], []
