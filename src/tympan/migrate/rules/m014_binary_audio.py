"""TM014: audio as binary messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import libcst as cst

from tympan.migrate.document import Edit
from tympan.migrate.matching.evidence import speaks_v2
from tympan.migrate.matching.imports import imported
from tympan.migrate.matching.names import BindingKind, bindings, functions_named, is_call_of, parameters, uses
from tympan.migrate.matching.sockets import Library, library_of
from tympan.migrate.matching.source import PythonDocument, Statement
from tympan.migrate.matching.strings import flat, pieces, text_roots
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_KEY = "audio_data"
_SENDERS = ("send", "send_text", "send_str", "send_json")
_ENDED = "ENDED = {'type': 'Terminate', 'was': 'SessionTerminated'}\n"


@dataclass
class _Way:
    """The way of audio from the expression that is base64 to the calls that send it."""

    sends: list[cst.Call] = field(default_factory=list)
    passed: list[tuple[Statement, cst.Name]] = field(default_factory=list)
    """Assignments on the way, and what they assign."""


class BinaryAudio(Rule[PythonDocument]):
    code = "TM014"
    title = "Audio is sent as binary messages"
    what = (
        'Audio that is sent as base64 in JSON, `{"audio_data": …}`, from the call that sends it back to the call '
        "that encodes it, through variables. The fix sends the bytes themselves, in the way of the library: "
        "`send(audio, websocket.ABNF.OPCODE_BINARY)` for websocket-client, `send(audio)` for websockets, "
        "`send_bytes(audio)` for aiohttp. What is base64 when it comes to the program, such as a telephone's audio, "
        "is decoded."
    )
    why = "A text message without a type ends the session with code 3006; v3 takes audio in binary messages only."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (
        Valid("import websockets\n" + _ENDED + "async def send(ws, data):\n    await ws.send(data)\n"),
        Valid("upload({'audio_data': recording})\n", "nothing in the file speaks of the service"),
    )
    invalid = (
        Invalid(
            "import base64\nimport json\nimport websocket\n" + _ENDED + "def send(ws, data):\n"
            '    ws.send(json.dumps({"audio_data": base64.b64encode(data).decode("utf-8")}))\n',
            "import base64\nimport json\nimport websocket\n" + _ENDED + "def send(ws, data):\n"
            "    ws.send(data, websocket.ABNF.OPCODE_BINARY)\n",
        ),
        Invalid(
            "import base64\nimport json\nimport websockets\n" + _ENDED + "async def send(ws):\n"
            "    data = stream.read(3200)\n"
            '    data = base64.b64encode(data).decode("utf-8")\n'
            '    json_data = json.dumps({"audio_data": str(data)})\n'
            "    await ws.send(json_data)\n",
            "import base64\nimport json\nimport websockets\n" + _ENDED + "async def send(ws):\n"
            "    data = stream.read(3200)\n"
            "    await ws.send(data)\n",
            about="through variables",
        ),
        Invalid(
            "import aiohttp\nimport base64\n" + _ENDED + "async def send(ws, packet):\n"
            "    await ws.send_json({'audio_data': packet['media']['payload']})\n",
            "import aiohttp\nimport base64\n" + _ENDED + "async def send(ws, packet):\n"
            "    await ws.send_bytes(base64.b64decode(packet['media']['payload']))\n",
            about="what came as base64",
        ),
        Invalid(
            "import json\nimport websockets\n" + _ENDED + "def send(queue, data):\n"
            "    queue.put(json.dumps({'audio_data': data}))\n",
            None,
            about="sent elsewhere",
        ),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        if not speaks_v2(document):
            return
        for element in document.nodes(cst.DictElement):
            is_audio = isinstance(element.key, cst.SimpleString) and element.key.evaluated_value == _KEY
            container = document.parent(element)
            if is_audio and isinstance(container, cst.Dict):
                yield self._finding(document, container, element.value)
        for root in text_roots(document):
            parts = pieces(document, root)
            values = [piece.value for piece in parts if piece.value is not None]
            if _KEY in flat(parts) and len(values) == 1 and isinstance(root, cst.FormattedString):
                yield self._finding(document, root, values[0])

    def _finding(self, code: PythonDocument, sent: cst.BaseExpression, audio: cst.BaseExpression) -> Finding:
        span, message = code.span(sent), "audio is sent as bytes, not as base64 in JSON"
        way = _Way()
        is_followed = _follow(code, sent, way) and way.sends
        edits = _edits(code, way, audio) if is_followed else None
        if edits is None:
            advice = "Send the bytes in a binary message where this is sent; from here the way there isn't seen."
            return self.by_hand(span, message, advice)
        return self.fixable(span, message, "Send the bytes in a binary message.", edits)


def _follow(code: PythonDocument, node: cst.BaseExpression, way: _Way) -> bool:
    """Where a value goes: into `json.dumps`, a variable, a call that sends. False: elsewhere as well."""
    parent = code.parent(node)
    if isinstance(parent, cst.Arg):
        call = code.parent(parent)
        if is_call_of(code, call, "json.dumps") and isinstance(call, cst.Call):
            return _follow(code, call, way)
        if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and call.func.attr.value in _SENDERS:
            way.sends.append(call)
            return True
        return False
    if isinstance(parent, cst.Assign) and len(parent.targets) == 1 and isinstance(parent.targets[0].target, cst.Name):
        target = parent.targets[0].target
        statement = code.statement(parent)
        way.passed.append((statement, target))
        later = [use for use in uses(code, target) if _is_later(code, use, statement)]
        return bool(later) and all(_follow(code, use, way) for use in later)
    return False


def _is_later(code: PythonDocument, use: cst.CSTNode, statement: Statement) -> bool:
    return code.function(use) is code.function(statement) and code.span(use) > code.span(statement)


def _edits(code: PythonDocument, way: _Way, audio: cst.BaseExpression) -> list[Edit] | None:
    encodings: list[tuple[Statement, cst.Name]] = []
    raw = _raw(code, audio, encodings)
    if raw is None or not _are_free(code, raw, encodings):
        encodings = []
        raw = None
    edits: list[Edit] = []
    if raw is None:
        decode, added = imported(code, "base64", "b64decode", from_module=False)
        edits += added
        source = f"{decode}({code.source(_plain(audio))})"
    else:
        source = code.source(raw)
    for call in way.sends:
        sent = _sent(code, call, source, edits)
        if sent is None:
            return None
        edits.append(code.replace(call, sent))
    for statement, _ in (*way.passed, *encodings):
        if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) > 1:
            return None
        edits.append(code.delete(statement))
    return edits


def _sent(code: PythonDocument, call: cst.Call, source: str, edits: list[Edit]) -> str | None:
    """The call that sends these bytes; None: of an unknown library."""
    assert isinstance(call.func, cst.Attribute)
    socket = code.source(call.func.value)
    match library_of(code, call.func.value):
        case Library.APP | Library.CLIENT:
            abnf, added = imported(code, "websocket", "ABNF", from_module=False)
            edits += added
            return f"{socket}.send({source}, {abnf}.OPCODE_BINARY)"
        case Library.WEBSOCKETS:
            return f"{socket}.send({source})"
        case Library.AIOHTTP:
            return f"{socket}.send_bytes({source})"
    return None


def _plain(node: cst.BaseExpression) -> cst.BaseExpression:
    """`str(x)` of a text, `x.decode()` of ASCII: b64decode takes both."""
    while True:
        match node:
            case cst.Call(func=cst.Name("str"), args=[cst.Arg(value=inner)]):
                node = inner
            case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name("decode"))):
                node = inner
            case _:
                return node


def _raw(
    code: PythonDocument, node: cst.BaseExpression, encodings: list[tuple[Statement, cst.Name]]
) -> cst.BaseExpression | None:
    """What was encoded; the assignments through which it went are put into `encodings`. None: not seen."""
    node = _plain(node)
    if is_call_of(code, node, "base64.b64encode", "base64.standard_b64encode") and isinstance(node, cst.Call):
        return node.args[0].value
    if isinstance(node, cst.Name):
        here = code.statement(node)
        before = [
            binding
            for binding in bindings(code, node)
            if binding.kind is BindingKind.ASSIGNED
            and code.function(binding.target) is code.function(node)
            and code.span(binding.target) < code.span(node)
            and code.statement(binding.target) is not here
        ]
        last = max(before, key=lambda binding: code.span(binding.target), default=None)
        if last is not None and last.value is not None and isinstance(last.target, cst.Name):
            encodings.append((code.statement(last.target), last.target))
            return _raw(code, last.value, encodings)
    if isinstance(node, cst.Call) and len(node.args) == 1 and _is_encoder(code, node):
        return node.args[0].value
    return None


def _is_encoder(code: PythonDocument, call: cst.Call) -> bool:
    """A function of the file that does nothing but encode what it is given."""
    for function in functions_named(code, call.func):
        body = function.body.body if isinstance(function, cst.FunctionDef) else ()
        line = body[-1] if len(body) == 1 else None
        last = line.body[0] if isinstance(line, cst.SimpleStatementLine) else line
        if not isinstance(last, cst.Return) or last.value is None:
            return False
        inner = _raw(code, last.value, [])
        return isinstance(inner, cst.Name) and parameters(function)[:1] == [inner.value]
    return False


def _are_free(code: PythonDocument, raw: cst.BaseExpression, encodings: list[tuple[Statement, cst.Name]]) -> bool:
    """Whether nothing but the sending needs the encoded values, so that their assignments can go."""
    statements = [statement for statement, _ in encodings]
    for statement, target in encodings:
        later = [use for use in uses(code, target) if _is_later(code, use, statement)]
        others = [use for use in later if code.statement(use) not in statements and not _goes_into_json(code, use)]
        if others:
            return False
    return True


def _goes_into_json(code: PythonDocument, use: cst.CSTNode) -> bool:
    """Whether it is the audio of such a message."""
    for above in code.ancestors(use):
        if isinstance(above, cst.DictElement):
            return isinstance(above.key, cst.SimpleString) and above.key.evaluated_value == _KEY
        if isinstance(above, cst.FormattedString):
            return _KEY in code.source(above)
    return False
