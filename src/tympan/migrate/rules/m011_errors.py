"""TM011: messages that tell an error."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.evidence import speaks_v2
from tympan.migrate.matching.messages import Access, message_accesses, own_quote, retexted, type_access
from tympan.migrate.matching.names import bindings
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.matching.strings import quote_at
from tympan.migrate.matching.type_tests import TypeTest, type_names
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_OLD = frozenset({"error", "Error", "SessionError", "RealtimeError"})
_PRELUDE = (
    "import json\n\ndef on_message(ws, message):\n    msg = json.loads(message)\n    kind = msg['message_type']\n"
)


class Errors(Rule[PythonDocument]):
    code = "TM011"
    title = "Errors come as `Error` messages"
    what = (
        "A message whose type is compared with `error`, or is looked at for being there at all. Errors of v2 were "
        "messages without a type. On v3 they are messages of type `Error` with `error_code` and `error`, and the "
        "connection is closed with the same code. The fix compares with `Error`, and lets such a message pass where "
        "messages without text are left out before. Programs that look for the key `error` need no change."
    )
    why = "Errors, such as a wrong key, would go by without a word."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (
        Valid(_PRELUDE + "    if 'error' in msg:\n        print(msg['error'])\n", "the key is as it was"),
        Valid(_PRELUDE + "    if level == 'error':\n        print(kind)\n"),
    )
    invalid = (
        Invalid(
            _PRELUDE + "    if kind == 'FinalTranscript':\n        print(msg['text'])\n"
            "    elif kind == 'error':\n        print(msg['error'])\n",
            _PRELUDE + "    if kind == 'FinalTranscript':\n        print(msg['text'])\n"
            "    elif kind == 'Error':\n        print(msg['error'])\n",
        ),
        Invalid(
            _PRELUDE + "    text = msg.get('text', '')\n    if not text:\n        return\n"
            "    if kind == 'FinalTranscript':\n        print(text)\n"
            "    elif kind == 'error':\n        print(msg['error'])\n",
            _PRELUDE + "    text = msg.get('text', '')\n    if not text and kind != 'Error':\n        return\n"
            "    if kind == 'FinalTranscript':\n        print(text)\n"
            "    elif kind == 'Error':\n        print(msg['error'])\n",
            about="an error has no text",
        ),
        Invalid(
            "ENDED = 'SessionTerminated'\n"
            "def on_message(ws, msg):\n    if 'message_type' not in msg:\n        print(msg)\n"
            "    match msg.get('message_type'):\n        case None:\n            print(msg['error'])\n",
            "ENDED = 'SessionTerminated'\n"
            "def on_message(ws, msg):\n    if 'error' in msg:\n        print(msg)\n"
            "    match msg.get('message_type'):\n        case \"Error\":\n            print(msg['error'])\n",
            about="on v2 an error was what had no type",
        ),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        if not speaks_v2(document):
            return
        yield from self._untyped(document)
        for found in type_names(document, _OLD):
            tests = [test for test in found.tests if test.access is not None]
            if not tests or len(tests) < len(found.tests):
                continue
            edits = [edit for test in tests for edit in _passing(document, test)]
            if found.name != "Error":
                edits.append(retexted(document, found.literal, "Error"))
            if edits:
                message = "errors come as messages of type 'Error'"
                advice = "Compare with 'Error'; it has error_code and error, and the same code closes the connection."
                yield self.fixable(document.span(found.literal), message, advice, edits)

    def _untyped(self, code: PythonDocument) -> Iterator[Finding]:
        """Asking whether a message has a type at all: on v2 an error had none."""
        message, advice = "errors have a type on v3: 'Error'", "Ask for the key 'error', or for the type 'Error'."
        for access in message_accesses(code):
            if access.key == "message_type" and isinstance(access.node, cst.Comparison):
                [target] = access.node.comparisons
                operator = "in" if isinstance(target.operator, cst.NotIn) else "not in"
                quote = own_quote(code, access)
                source = f"{quote}error{quote} {operator} {code.source(access.base)}"
                yield self.fixable(code.span(access.node), message, advice, [code.replace(access.node, source)])
        for node in code.nodes(cst.Comparison):
            match node:
                case cst.Comparison(comparisons=[cst.ComparisonTarget(operator=asked, comparator=cst.Name("None"))]):
                    sign = {cst.Is: "==", cst.Equal: "==", cst.IsNot: "!=", cst.NotEqual: "!="}.get(type(asked))
                    if sign is not None and type_access(code, node.left) is not None:
                        quote = quote_at(code, node, '"')
                        edit = code.replace(node, f"{code.source(node.left)} {sign} {quote}Error{quote}")
                        yield self.fixable(code.span(node), message, advice, [edit])
        for case in code.nodes(cst.MatchCase):
            match case.pattern:
                case cst.MatchSingleton(value=cst.Name("None")):
                    subject = code.enclosing(case, cst.Match)
                    if subject is not None and type_access(code, subject.subject) is not None:
                        edit = code.replace(case.pattern, '"Error"')
                        yield self.fixable(code.span(case.pattern), message, advice, [edit])


def _passing(code: PythonDocument, test: TypeTest) -> list[Edit]:
    """Let errors by where messages without text are left out, in the same function and before the test."""
    function = code.function(test.node)
    if not isinstance(test.node, cst.Comparison):
        return []
    kind = code.source(test.node.left)
    texts = [a for a in message_accesses(code) if a.key in ("text", "transcript")]
    for guard in code.nodes(cst.If):
        is_before = code.function(guard) is function and code.span(guard).end <= code.span(test.node).start
        if is_before and guard.orelse is None and _is_left_out(code, guard, texts):
            end = code.span(guard.test).end
            quote = "'" if "'" in code.source(test.node.comparisons[0]) else '"'
            return [Edit(Span(end, end), f" and {kind} != {quote}Error{quote}")] if _is_kind(code, test) else []
    return []


def _is_kind(code: PythonDocument, test: TypeTest) -> bool:
    return isinstance(test.node, cst.Comparison) and type_access(code, test.node.left) is not None


def _is_left_out(code: PythonDocument, guard: cst.If, texts: list[Access]) -> bool:
    """`if not text: return`."""
    if not isinstance(guard.test, cst.UnaryOperation) or not isinstance(guard.test.operator, cst.Not):
        return False
    body = guard.body.body[0] if guard.body.body else None
    last = body.body[0] if isinstance(body, cst.SimpleStatementLine) else body
    if not isinstance(last, cst.Return | cst.Continue):
        return False
    subject = guard.test.expression
    reads = {id(access.node) for access in texts}
    values = [binding.value for binding in bindings(code, subject)] if isinstance(subject, cst.Name) else [subject]
    return any(id(value) in reads for value in values)
