"""TM020: the net below the other rules, for what they can't follow."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from tympan.migrate.matching.calls import called_functions
from tympan.migrate.matching.evidence import TYPE_NAMES, speaks_v2
from tympan.migrate.matching.messages import Access, Style, accesses, is_message, message_accesses
from tympan.migrate.matching.names import BindingKind, bindings, qualified, uses
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_NEW_FIELDS = {
    "session_id": "'id'",
    "text": "'transcript'",
    "confidence": "the confidence of its words",
    "created": "the time at which it comes",
}
_DECLARED = {
    "message_type": "'type'",
    "audio_start": "the start of the first word",
    "audio_end": "the end of the last word",
    "punctuated": "'turn_is_formatted'",
    "text_formatted": "'turn_is_formatted'",
}
"""Names that hardly anything else has."""
_TYPE_NAME = re.compile("|".join(sorted(TYPE_NAMES)))
_SHOWN = re.compile(r"(?:print|debug|info|warning|error|exception|critical|log|write|echo)$")
_TAKEN = ("get", "get_nowait", "popleft", "receive", "recv")
"""Calls that hand over what another place put there."""
_OLD_PART = re.compile(r"['\"](?:Final|Partial|\w*Transcript|Session)")
_TYPES = (
    "The types are Begin, Turn and Termination now: compare with them whole. A final is the Turn with end_of_turn and "
    "turn_is_formatted. What this compares with can't be told."
)
_PRELUDE = "import json\n\ndef on_message(ws, message):\n    msg = json.loads(message)\n"


class Leftovers(Rule[PythonDocument]):
    code = "TM020"
    title = "Words of the old protocol where nothing else is sure"
    what = (
        "What the other rules can't follow, in a file that speaks v2: a message type of which only a part is looked at "
        "(`startswith`, `in`, a slice, a pattern), the name of a message type or `audio_data` inside of a longer text, "
        "`text`, `session_id`, `confidence` and `created` of what comes out of a queue or from callers that aren't "
        "seen, and classes with fields such as `message_type`. There is no fix: look whether it is about the service's "
        "messages."
    )
    why = "Where it is, nothing is recognised on v3, or the program stops at a field that isn't there."
    applicability = Applicability.BY_HAND
    document_type = PythonDocument
    valid = (
        Valid("kind = msg['type']\nif kind.startswith('Final'):\n    pass\n", "nothing in the file speaks v2"),
        Valid(
            '"""Prints each FinalTranscript."""\n' + _PRELUDE + "    if msg['message_type'] == 'FinalTranscript':\n"
            "        print('FinalTranscript:', [word['text'] for word in msg['words']])\n"
            "        logging.info('a FinalTranscript came')\n",
            "words, and what people read",
        ),
        Valid(
            "ENDED = 'SessionTerminated'\n\ndef show(word):\n    print(word['text'])\n\n"
            "for word in words:\n    show(word)\n",
            "the caller is seen",
        ),
    )
    invalid = (
        Invalid(
            "PATH = '/v2/realtime/ws'\n" + _PRELUDE + "    kind = msg['type']\n"
            "    if kind.startswith('Final') or 'Partial' in kind or kind[:5] == 'Final':\n"
            "        print(msg['transcript'], msg.get('end_of_turn'))\n",
            None,
            about="a part of the type",
        ),
        Invalid(
            _PRELUDE + "    if msg.get('turn_is_formatted') and msg['type'].startswith('Final'):\n"
            "        print(msg['transcript'])\n",
            None,
            about="forgotten by whoever moved the rest",
        ),
        Invalid(
            'if \'"message_type": "FinalTranscript"\' in raw:\n    show(raw)\n',
            None,
            about="a message that isn't parsed",
        ),
        Invalid(
            "ws.send('{\"audio_data\": \"%s\"}' % data)\nENDED = 'SessionTerminated'\n",
            None,
        ),
        Invalid(
            "ENDED = 'SessionTerminated'\nasync def show(messages):\n    msg = await messages.get()\n"
            "    print(msg['text'])\n",
            None,
            about="out of a queue",
        ),
        Invalid(
            "@on('SessionBegins')\ndef begun(msg):\n    print(msg['session_id'])\n",
            None,
            about="called by something else",
        ),
        Invalid(
            "ENDED = 'SessionTerminated'\n\n@dataclass\nclass Message:\n    message_type: str\n    text: str = ''\n",
            None,
            about="what messages are put into",
        ),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        yield from self._parts_of_types(document)
        if speaks_v2(document):
            yield from self._in_texts(document)
            yield from self._fields(document)
            yield from self._declared(document)

    def _parts_of_types(self, code: PythonDocument) -> Iterator[Finding]:
        is_old = speaks_v2(code)
        for access in message_accesses(code):
            if access.key in ("message_type", "type") and access.style is not Style.CONTAINS:
                for node in _values(code, access):
                    if _is_looked_into(code, node) and (is_old or _OLD_PART.search(code.source(code.statement(node)))):
                        yield self.by_hand(code.span(code.parent(node)), "a part of a message's type", _TYPES)

    def _in_texts(self, code: PythonDocument) -> Iterator[Finding]:
        for literal in code.nodes(cst.SimpleString):
            text = literal.evaluated_value
            if not isinstance(text, str) or text in TYPE_NAMES or _is_for_people(code, literal):
                continue
            found = _TYPE_NAME.search(text)
            if found:
                yield self.by_hand(code.span(literal), f"{found.group()} is no message of v3", _TYPES)
            operation = code.parent(literal)
            if '"audio_data"' in text and isinstance(operation, cst.BinaryOperation):
                advice = "Send the bytes in a binary message; what is put in here can't be followed."
                yield self.by_hand(code.span(literal), "audio is sent as bytes, not as base64 in JSON", advice)

    def _fields(self, code: PythonDocument) -> Iterator[Finding]:
        for access in accesses(code):
            new = _NEW_FIELDS.get(access.key)
            if new is None or is_message(code, access.base) or not _comes_from_elsewhere(code, access.base):
                continue
            message = f"if this is a message of the service, it has no '{access.key}'"
            yield self.by_hand(code.span(access.key_node), message, f"Take {new}; where it comes from isn't seen.")

    def _declared(self, code: PythonDocument) -> Iterator[Finding]:
        """Data classes, typed dicts and the like, which may be made of whole messages."""
        for field in code.nodes(cst.AnnAssign):
            owner = code.enclosing(field, cst.ClassDef, cst.FunctionDef)
            name = field.target.value if isinstance(field.target, cst.Name) else ""
            if name in _DECLARED and isinstance(owner, cst.ClassDef):
                message = f"if this class holds the service's messages, they have no '{name}'"
                yield self.by_hand(code.span(field.target), message, f"Take {_DECLARED[name]}, in what reads it too.")


def _values(code: PythonDocument, access: Access) -> list[cst.BaseExpression]:
    """A type where it is read, and the uses of the variable that gets it."""
    match code.parent(access.node):
        case cst.Assign(targets=[cst.AssignTarget(target=target)]) | cst.NamedExpr(target=target):
            return [access.node, *uses(code, target)]
    return [access.node]


def _is_looked_into(code: PythonDocument, node: cst.BaseExpression) -> bool:
    parent = code.parent(node)
    match parent:
        case cst.Attribute(value=value) | cst.Subscript(value=value):
            return value is node
        case cst.ComparisonTarget(operator=cst.In() | cst.NotIn(), comparator=comparator):
            return comparator is node
        case cst.Arg():
            call = code.parent(parent)
            return isinstance(call, cst.Call) and qualified(code, call.func).startswith("re.")
    return False


def _is_for_people(code: PythonDocument, literal: cst.SimpleString) -> bool:
    """A docstring, or in what is printed, logged or raised."""
    if isinstance(code.parent(literal), cst.Expr):
        return True
    for above in code.ancestors(literal):
        if isinstance(above, cst.Call) and _SHOWN.search(code.source(above.func)):
            return True
        if isinstance(above, cst.Raise | cst.Assert):
            return True
        if isinstance(above, cst.BaseStatement):
            return False
    return False


def _comes_from_elsewhere(code: PythonDocument, node: cst.BaseExpression) -> bool:
    """A parameter of a function that nothing in the file calls, or what is taken out of a queue."""
    found = bindings(code, node) if isinstance(node, cst.Name) else []
    return bool(found) and all(
        _has_no_caller(code, binding.target)
        if binding.kind is BindingKind.PARAMETER
        else binding.value is not None and _is_taken(binding.value)
        for binding in found
    )


def _is_taken(value: cst.BaseExpression) -> bool:
    if isinstance(value, cst.Await):
        value = value.expression
    return (
        isinstance(value, cst.Call)
        and isinstance(value.func, cst.Attribute)
        and value.func.attr.value in _TAKEN
        and all(arg.keyword is not None for arg in value.args)
    )


def _has_no_caller(code: PythonDocument, parameter: cst.CSTNode) -> bool:
    if "called" not in code.memo:
        code.memo["called"] = {
            id(function) for call in code.nodes(cst.Call) for function in called_functions(code, call)
        }
    function = code.function(parameter)
    return function is not None and id(function) not in code.memo["called"]
