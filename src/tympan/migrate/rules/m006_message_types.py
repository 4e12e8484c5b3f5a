"""TM006: the names of the messages; which Turn is a partial and which a final."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.evidence import speaks_v2
from tympan.migrate.matching.messages import Access, alternatives, field, retexted
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.matching.strings import quote_at, text_of
from tympan.migrate.matching.type_tests import Form, TypeName, TypeTest, type_names
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_PARTIAL, _FINAL = "PartialTranscript", "FinalTranscript"
_TURNS = (_PARTIAL, _FINAL)
_NAMES = {
    "SessionBegins": "Begin",
    _PARTIAL: "Turn",
    _FINAL: "Turn",
    "SessionTerminated": "Termination",
}
_HOW_TURNS = (
    "A partial is a Turn without end_of_turn; the final is the Turn with end_of_turn and turn_is_formatted (the one "
    "before it, with end_of_turn alone, has the same words)."
)
_PRELUDE = """import json
import websocket

def on_message(ws, message):
    msg = json.loads(message)
"""


class MessageTypes(Rule[PythonDocument]):
    code = "TM006"
    title = "SessionBegins, PartialTranscript, FinalTranscript, SessionTerminated are Begin, Turn, Termination"
    what = (
        "The names of message types, in comparisons, in `in`, in `match`, in constants and tables. SessionBegins is "
        "Begin, SessionTerminated is Termination. PartialTranscript and FinalTranscript are "
        "both Turn. The fix asks for the fields as well: a partial is a Turn without `end_of_turn`; the final is the "
        "one with `end_of_turn` and `turn_is_formatted`. The Turn that ends a turn unformatted comes right before the "
        "formatted one, with the same words; it is neither, so that no final is printed twice. Where the message "
        "can't be seen from the comparison, this is left to you. Tables by type are TM018's."
    )
    why = "Messages of v3 have other names, and partials and finals have the same: nothing would be recognised."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (
        Valid(_PRELUDE + "    if msg['type'] == 'Turn' and msg['end_of_turn']:\n        print(msg['transcript'])\n"),
        Valid("class PartialTranscript:\n    pass\n"),
    )
    invalid = (
        Invalid(
            _PRELUDE + "    kind = msg.get('message_type')\n"
            "    if kind == 'SessionBegins':\n        print('ready')\n"
            "    elif kind == 'PartialTranscript':\n        print(msg['text'], end='\\r')\n"
            "    elif kind == 'FinalTranscript':\n        print(msg['text'])\n",
            _PRELUDE + "    kind = msg.get('message_type')\n"
            "    if kind == 'Begin':\n        print('ready')\n"
            "    elif kind == 'Turn' and not msg.get('end_of_turn'):\n        print(msg['text'], end='\\r')\n"
            "    elif kind == 'Turn' and msg.get('end_of_turn') and msg.get('turn_is_formatted'):\n"
            "        print(msg['text'])\n",
        ),
        Invalid(
            _PRELUDE + "    if msg['message_type'] != \"PartialTranscript\":\n        print(msg['text'])\n",
            _PRELUDE + '    if msg[\'message_type\'] != "Turn" or msg["end_of_turn"] and msg["turn_is_formatted"]:\n'
            "        print(msg['text'])\n",
            about="what isn't a partial",
        ),
        Invalid(
            _PRELUDE + "    if msg['message_type'] in ('PartialTranscript', 'FinalTranscript'):\n"
            "        print(msg['text'])\n",
            _PRELUDE
            + "    if msg['message_type'] == 'Turn' and (not msg['end_of_turn'] or msg['turn_is_formatted']):\n"
            "        print(msg['text'])\n",
            about="partials and finals alike",
        ),
        Invalid(
            _PRELUDE + "    kind = msg['message_type']\n"
            "    if kind not in ['PartialTranscript', 'SessionBegins']:\n        print(msg['text'])\n"
            "    if not kind == 'PartialTranscript':\n        print(msg['text'])\n",
            _PRELUDE + "    kind = msg['message_type']\n"
            "    if kind not in ['Turn', 'Begin'] or kind == 'Turn' and msg['end_of_turn'] "
            "and msg['turn_is_formatted']:\n        print(msg['text'])\n"
            "    if not (kind == 'Turn' and not (msg['end_of_turn'] and msg['turn_is_formatted'])):\n"
            "        print(msg['text'])\n",
            about="neither this nor that",
        ),
        Invalid(
            _PRELUDE + "    match msg['message_type']:\n"
            "        case 'PartialTranscript':\n            print(msg['text'], end='\\r')\n"
            "        case 'FinalTranscript' if msg['text']:\n            print(msg['text'])\n",
            _PRELUDE + "    match msg['message_type']:\n"
            "        case 'Turn' if not msg['end_of_turn']:\n            print(msg['text'], end='\\r')\n"
            "        case 'Turn' if msg['end_of_turn'] and msg['turn_is_formatted'] and (msg['text']):\n"
            "            print(msg['text'])\n",
        ),
        Invalid(
            _PRELUDE + "    match msg:\n"
            "        case {'message_type': 'FinalTranscript', 'text': text}:\n            print(text)\n",
            _PRELUDE + "    match msg:\n"
            "        case {'message_type': 'Turn', 'end_of_turn': True, 'turn_is_formatted': True, 'text': text}:\n"
            "            print(text)\n",
        ),
        Invalid(
            "def show(kind, msg):\n    if kind == 'FinalTranscript':\n        print(msg['text'])\n\n\n"
            + _PRELUDE
            + "    show(msg['message_type'], msg)\n",
            "def show(kind, msg):\n    if kind == 'Turn' and msg['end_of_turn'] and msg['turn_is_formatted']:\n"
            "        print(msg['text'])\n\n\n" + _PRELUDE + "    show(msg['message_type'], msg)\n",
            about="in a function that gets both the type and the message",
        ),
        Invalid(
            "FINAL = 'FinalTranscript'\n"
            + _PRELUDE
            + "    if msg['message_type'] == FINAL:\n        print(msg['text'])\n",
            "FINAL = 'Turn'\n" + _PRELUDE + "    if msg['message_type'] == FINAL and msg['end_of_turn'] "
            "and msg['turn_is_formatted']:\n        print(msg['text'])\n",
            about="a constant keeps its name",
        ),
        Invalid(
            "subscribe('FinalTranscript', print_final)\n",
            None,
            about="what is compared with it isn't seen",
        ),
        Invalid(
            "class Kind(enum.Enum):\n    PARTIAL = 'PartialTranscript'\n    FINAL = 'FinalTranscript'\n",
            None,
            about="constants for another file: as Turn they would be one",
        ),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        if not speaks_v2(document):
            return
        for found in type_names(document, frozenset(_NAMES)):
            if _is_shown(document, found) or _is_in_table_of_turns(document, found):
                continue
            yield self._finding(document, found)

    def _finding(self, code: PythonDocument, found: TypeName) -> Finding:
        span = code.span(found.literal)
        new = _NAMES[found.name]
        message = f"a message of v3 is a {new}, not a {found.name}"
        if not found.tests and found.name in _TURNS:
            advice = f"Nothing in this file compares with it; who does must look at the message's fields. {_HOW_TURNS}"
            return self.by_hand(span, message, advice)
        if any(test.form is Form.OTHER for test in found.tests):
            return self.by_hand(
                span, message, f"Write {new}; what is compared with it here isn't known. {_hint(found)}".rstrip()
            )
        if found.name not in _TURNS:
            return self.fixable(span, message, f"Compare with {new}.", [retexted(code, found.literal, new)])
        edits = [edit for test in found.tests for edit in _conditions(code, found, test)]
        if len(edits) < len(found.tests):
            advice = f"Pass the message to this place, and look at its fields; only its type comes here. {_HOW_TURNS}"
            return self.by_hand(span, message, advice)
        if not any(edit.span.overlaps(code.span(found.literal)) for edit in edits):
            edits.append(retexted(code, found.literal, new))
        return self.fixable(span, message, _HOW_TURNS, edits)


def _hint(found: TypeName) -> str:
    return _HOW_TURNS if found.name in _TURNS else ""


def _is_shown(code: PythonDocument, found: TypeName) -> bool:
    """Only printed or logged: what people read isn't compared."""
    parent = code.parent(found.literal)
    if not isinstance(parent, cst.Arg):
        return False
    call = code.parent(parent)
    shown = ("print", "debug", "info", "warning", "error", "exception")
    return isinstance(call, cst.Call) and code.source(call.func).rpartition(".")[2] in shown


def _is_in_table_of_turns(code: PythonDocument, found: TypeName) -> bool:
    """In a table that has partials or finals: TM018 changes all of its keys."""
    tables = {id(code.parent(test.node)): code.parent(test.node) for test in found.tests if test.form is Form.TABLE}
    return any(
        text_of(code, element.key) in _TURNS
        for table in tables.values()
        if isinstance(table, cst.Dict)
        for element in table.elements
        if isinstance(element, cst.DictElement)
    )


def _conditions(code: PythonDocument, found: TypeName, test: TypeTest) -> list[Edit]:
    """The edits at one use, beside that of the literal; empty where none is possible."""
    quote = quote_at(code, test.node, found.literal.quote[0])
    match test.node:
        case cst.Comparison() as comparison if test.access is not None:
            return _compared(code, comparison, test, found.name, quote)
        case cst.MatchCase() as case if test.access is not None:
            return _cased(code, case, test.access, quote)
        case cst.MatchMappingElement() as element:
            end = code.span(element.pattern).end
            fields = ["end_of_turn"] if found.name == _PARTIAL else ["end_of_turn", "turn_is_formatted"]
            value = found.name == _FINAL
            return [Edit(Span(end, end), "".join(f", {quote}{name}{quote}: {value}" for name in fields))]
    return []


def _condition(code: PythonDocument, access: Access, names: set[str], quote: str) -> str:
    """What of a Turn's fields makes it one of these old messages."""
    end, formatted = field(code, access, "end_of_turn", quote), field(code, access, "turn_is_formatted", quote)
    if names >= set(_TURNS):
        return f"(not {end} or {formatted})"
    return f"not {end}" if _PARTIAL in names else f"{end} and {formatted}"


def _compared(code: PythonDocument, node: cst.Comparison, test: TypeTest, name: str, quote: str) -> list[Edit]:
    assert test.access is not None
    span = code.span(node)
    opening, closing = Edit(Span(span.start, span.start), "("), Edit(Span(span.end, span.end), ")")
    is_negated = isinstance(code.parent(node), cst.UnaryOperation)
    if test.form is Form.EQUAL:
        condition = _condition(code, test.access, {name}, quote)
        if is_negated and name == _PARTIAL:
            condition = f"not ({_condition(code, test.access, {_FINAL}, quote)})"
        added = Edit(Span(span.end, span.end), f" and {condition}")
        return [opening, added, closing] if is_negated and not node.lpar else [added]
    if test.form is Form.NOT_EQUAL:
        # What isn't a partial is treated as a final: one that isn't formatted yet must not be among them.
        end, formatted = (
            field(code, test.access, "end_of_turn", quote),
            field(code, test.access, "turn_is_formatted", quote),
        )
        rest = f"{end} and {formatted}" if name == _PARTIAL else f"not ({end} and {formatted})"
        added = Edit(Span(span.end, span.end), f" or {rest}")
        is_alone = node.lpar or not isinstance(code.parent(node), cst.UnaryOperation | cst.BooleanOperation)
        return [added] if is_alone else [opening, added, closing]
    is_alone = node.lpar or not isinstance(code.parent(node), cst.UnaryOperation | cst.BooleanOperation)
    if test.form is Form.NOT_IN:
        excepted = _not_contained(code, node, test.access, quote)
        return excepted if is_alone else [opening, *excepted, closing]
    return _contained(code, node, test.access, quote)


def _contained(code: PythonDocument, node: cst.Comparison, access: Access, quote: str) -> list[Edit]:
    """`kind in ("PartialTranscript", …)`."""
    [target] = node.comparisons
    elements = getattr(target.comparator, "elements", ())
    names = {text_of(code, element.value) for element in elements}
    turns = {name for name in names if name in _TURNS}
    condition = _condition(code, access, {str(name) for name in turns}, quote)
    span = code.span(node)
    if names == turns and all(isinstance(element.value, cst.SimpleString) for element in elements):
        start = code.span(target.operator).start
        found = code.text[start : span.end].lstrip()
        start = span.end - len(found)
        return [Edit(Span(start, span.end), f"== {quote}Turn{quote} and {condition}")]
    kind = code.source(node.left)
    return [Edit(Span(span.end, span.end), f" and ({kind} != {quote}Turn{quote} or {condition})")]


def _not_contained(code: PythonDocument, node: cst.Comparison, access: Access, quote: str) -> list[Edit]:
    """`kind not in ("PartialTranscript", …)`: what isn't a partial is treated as a final."""
    [target] = node.comparisons
    names = {text_of(code, element.value) for element in getattr(target.comparator, "elements", ())}
    end = code.span(node).end
    final = _condition(code, access, {_FINAL}, quote)
    if names >= set(_TURNS):
        return [Edit(Span(end, end), "")]
    rest = final if _PARTIAL in names else f"not ({final})"
    return [Edit(Span(end, end), f" or {code.source(node.left)} == {quote}Turn{quote} and {rest}")]


def _cased(code: PythonDocument, case: cst.MatchCase, access: Access, quote: str) -> list[Edit]:
    parts = alternatives(case.pattern)
    names = {text_of(code, part.value) for part in parts if isinstance(part, cst.MatchValue)}
    turns = {str(name) for name in names if name in _TURNS}
    condition = _condition(code, access, turns, quote)
    edits: list[Edit] = []
    if len(parts) > 1:
        if len(turns) == len(parts) and isinstance(case.pattern, cst.MatchOr):
            edits.append(code.replace(case.pattern, f"{quote}Turn{quote}"))
        else:
            condition = f"({code.source(access.node)} != {quote}Turn{quote} or {condition})"
    if case.guard is None:
        end = code.span(case.pattern).end
        return [*edits, Edit(Span(end, end), f" if {condition}")]
    span = code.outer_span(case.guard)
    return [
        *edits,
        Edit(Span(span.start, span.start), f"{condition} and ("),
        Edit(Span(span.end, span.end), ")"),
    ]
