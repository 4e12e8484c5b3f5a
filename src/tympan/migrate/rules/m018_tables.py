"""TM018: tables by message type."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.evidence import speaks_v2
from tympan.migrate.matching.messages import Access, own_quote, type_access
from tympan.migrate.matching.names import uses
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.matching.strings import pieces
from tympan.migrate.matching.turns import returns_values, skip_unformatted_end
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_KEYS = {
    "SessionBegins": ("Begin", "None"),
    "PartialTranscript": ("Turn", "False"),
    "FinalTranscript": ("Turn", "True"),
    "SessionTerminated": ("Termination", "None"),
    "SessionInformation": ("Termination", "None"),
    "error": ("Error", "None"),
}
_ADVICE = (
    "Look up type and end_of_turn together: both PartialTranscript and FinalTranscript are Turns. Skip a Turn that "
    "has end_of_turn without turn_is_formatted; the same turn comes again."
)
_PRELUDE = "import json\n\ndef on_message(ws, message):\n    msg = json.loads(message)\n"


class Tables(Rule[PythonDocument]):
    code = "TM018"
    title = "Tables by type look at `end_of_turn` as well"
    what = (
        "A dict that has entries for PartialTranscript or FinalTranscript. The fix makes its keys pairs of type and "
        "`end_of_turn`, looks these up together, and skips the unformatted end of a turn, which comes again formatted."
    )
    why = "Partials and finals have the same type on v3: a table by type alone can't tell them apart."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (Valid("COLOURS = {'SessionBegins': 'green', 'SessionTerminated': 'red'}\n", "no partials and finals"),)
    invalid = (
        Invalid(
            "HANDLERS = {'SessionBegins': ready, 'PartialTranscript': show, 'FinalTranscript': keep}\n"
            + _PRELUDE
            + "    handler = HANDLERS.get(msg['message_type'])\n    if handler:\n        handler(msg)\n",
            "HANDLERS = {('Begin', None): ready, ('Turn', False): show, ('Turn', True): keep}\n"
            + _PRELUDE
            + "    if msg.get('end_of_turn') and not msg.get('turn_is_formatted'):\n"
            "        return  # the same turn comes again, formatted\n"
            "    handler = HANDLERS.get((msg['message_type'], msg.get('end_of_turn')))\n"
            "    if handler:\n        handler(msg)\n",
        ),
        Invalid(
            "HANDLERS = {'PartialTranscript': show, 'FinalTranscript': keep}\nserve(HANDLERS)\n",
            None,
            about="looked into elsewhere",
        ),
        Invalid(
            "ENDED = 'SessionTerminated'\n" + _PRELUDE + "    getattr(ws, 'on_' + msg['message_type'])(msg)\n",
            None,
            about="called by name",
        ),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        if not speaks_v2(document):
            return
        yield from self._by_name(document)
        for table in document.nodes(cst.Dict):
            keys = [element.key for element in table.elements if isinstance(element, cst.DictElement)]
            names = [key.evaluated_value for key in keys if isinstance(key, cst.SimpleString)]
            if not {"PartialTranscript", "FinalTranscript"} & set(names):
                continue
            span = document.span(keys[0])
            message = "a table by message type can't tell partials from finals"
            edits = _edits(document, table, keys) if len(keys) == len(names) else None
            if edits is None:
                yield self.by_hand(span, message, f"{_ADVICE} Where the table is looked into isn't seen.")
            else:
                yield self.fixable(span, message, _ADVICE, edits)

    def _by_name(self, code: PythonDocument) -> Iterator[Finding]:
        """`getattr(self, "on_" + message["message_type"])`."""
        for call in code.nodes(cst.Call):
            if not isinstance(call.func, cst.Name) or call.func.value != "getattr" or len(call.args) < 2:
                continue
            values = [piece.value for piece in pieces(code, call.args[1].value) if piece.value is not None]
            if any(type_access(code, value) is not None for value in values):
                advice = (
                    "Name them after Begin, Turn and Termination; the one for Turn has to tell partials from finals."
                )
                message = "what is called is named after a message type"
                yield self.by_hand(code.span(call), message, f"{advice} {_ADVICE}")


def _edits(code: PythonDocument, table: cst.Dict, keys: list[cst.BaseExpression]) -> list[Edit] | None:
    edits: list[Edit] = []
    taken: set[tuple[str, str]] = set()
    for key in keys:
        assert isinstance(key, cst.SimpleString)
        pair = _KEYS.get(str(key.evaluated_value))
        if pair is None or pair in taken:
            return None
        taken.add(pair)
        quote = key.quote[0]
        edits.append(code.replace(key, f"({quote}{pair[0]}{quote}, {pair[1]})"))
    looked_up = _lookups(code, table)
    if not looked_up:
        return None
    skipped = set()
    for key in sorted(looked_up, key=lambda node: code.span(node)):
        access = type_access(code, key)
        is_first = code.function(key) not in skipped
        skipped.add(code.function(key))
        skip = [] if access is None or not is_first else _skip(code, key, access)
        if access is None or skip is None:
            return None
        edits += [*skip, *_paired(code, key, access)]
    return edits


def _lookups(code: PythonDocument, table: cst.Dict) -> list[cst.BaseExpression] | None:
    """What is looked up in a table; None: it is used otherwise as well."""
    parent = code.parent(table)
    places: list[cst.BaseExpression] = [table]
    if isinstance(parent, cst.Assign) and len(parent.targets) == 1:
        places = uses(code, parent.targets[0].target)
    found = []
    for place in places:
        above = code.parent(place)
        match above:
            case cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=key))]) if above.value is place:
                found.append(key)
            case cst.Attribute(attr=cst.Name("get")) if isinstance(call := code.parent(above), cst.Call) and call.args:
                found.append(call.args[0].value)
            case cst.ComparisonTarget(operator=cst.In() | cst.NotIn()):
                comparison = code.parent(above)
                assert isinstance(comparison, cst.Comparison)
                found.append(comparison.left)
            case _:
                return None
    return found


def _paired(code: PythonDocument, key: cst.BaseExpression, access: Access) -> list[Edit]:
    base, quote = code.source(access.base), own_quote(code, access)
    span = code.span(key)
    end = f", {base}.get({quote}end_of_turn{quote}))"
    return [Edit(Span(span.start, span.start), "("), Edit(Span(span.end, span.end), end)]


def _skip(code: PythonDocument, key: cst.BaseExpression, access: Access) -> list[Edit] | None:
    function = code.function(key)
    if code.function(access.node) is not function or returns_values(code, function):
        return None
    quote = own_quote(code, access)
    if function is not None and "turn_is_formatted" in code.source(function):
        return []
    edit = skip_unformatted_end(code, code.statement(key), code.source(access.base), quote)
    return None if edit is None else [edit]
