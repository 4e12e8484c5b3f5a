"""TM019: what SessionInformation told."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.dicts import entries
from tympan.migrate.matching.evidence import speaks_v2
from tympan.migrate.matching.messages import retexted
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.matching.type_tests import Form, TypeName, TypeTest, type_names
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_PRELUDE = "import json\n\ndef on_message(ws, message):\n    msg = json.loads(message)\n"
_OTHERS = frozenset({"PartialTranscript", "FinalTranscript", "SessionTerminated", "Termination"})
_MESSAGE = "there is no SessionInformation; Termination tells how long the audio was"


class SessionInformation(Rule[PythonDocument]):
    code = "TM019"
    title = "What SessionInformation told is in Termination"
    what = (
        "The name SessionInformation. Termination has `audio_duration_seconds` too, as a whole number, and "
        "comes always. The fix compares with Termination; where the same chain of `elif` also handles "
        "SessionTerminated, the two branches become one that does what both did. In a list of several types it is "
        "left out. Where Termination would then not be reached by what handles the end, this is left to you."
    )
    why = "The message never comes: the duration would stay unknown."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (Valid(_PRELUDE + "    if msg['message_type'] == 'SessionTerminated':\n        print('bye')\n"),)
    invalid = (
        Invalid(
            _PRELUDE + "    if msg['message_type'] == 'SessionInformation':\n"
            "        print(msg['audio_duration_seconds'])\n",
            _PRELUDE + "    if msg['message_type'] == 'Termination':\n        print(msg['audio_duration_seconds'])\n",
        ),
        Invalid(
            _PRELUDE + "    if msg['message_type'] == 'SessionInformation':\n"
            "        print(msg['audio_duration_seconds'])\n"
            "    elif msg['message_type'] == 'SessionTerminated':\n        print('bye')\n",
            _PRELUDE + "    if msg['message_type'] == 'Termination':\n"
            "        print(msg['audio_duration_seconds'])\n        print('bye')\n",
            about="two messages that are one now",
        ),
        Invalid(
            "TABLE = {'SessionInformation': tell, 'SessionTerminated': stop}\n",
            None,
            about="two entries of a table that are one now",
        ),
        Invalid("subscribe('SessionInformation', show)\n", None),
        Invalid(
            _PRELUDE + "    if msg['message_type'] in {'SessionBegins', 'SessionInformation'}:\n        return\n"
            "    if msg['message_type'] == 'SessionTerminated':\n        stop()\n",
            _PRELUDE + "    if msg['message_type'] in {'SessionBegins'}:\n        return\n"
            "    if msg['message_type'] == 'SessionTerminated':\n        stop()\n",
            about="one of several: Termination there would be taken away from what handles the end",
        ),
        Invalid(
            _PRELUDE + "    if msg['message_type'] not in ('SessionInformation', 'SessionBegins'):\n"
            "        show(msg)\n",
            _PRELUDE + "    if msg['message_type'] not in ('SessionBegins',):\n        show(msg)\n",
        ),
        Invalid(
            _PRELUDE + "    if msg['message_type'] == 'SessionInformation':\n        return\n"
            "    if msg['message_type'] == 'SessionTerminated':\n        stop()\n",
            None,
            about="two tests that would be one, and only the first would be reached",
        ),
        Invalid(
            _PRELUDE + "    match msg['message_type']:\n"
            "        case 'SessionInformation':\n            print(msg['audio_duration_seconds'])\n"
            "        case 'SessionTerminated':\n            stop()\n",
            None,
        ),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        if not speaks_v2(document):
            return
        for found in type_names(document, frozenset({"SessionInformation"})):
            span = document.span(found.literal)
            is_seen = not any(test.form is Form.OTHER or _is_beside_others(document, test) for test in found.tests)
            left_out = _left_out(document, found)
            if left_out is not None:
                yield self.fixable(span, _MESSAGE, "Leave it out; it never comes.", [left_out])
                continue
            edits = _merged(document, found) if is_seen else None
            if edits is None or (not edits and _hides_the_end(document, found)):
                advice = "Do it where SessionTerminated is handled; here it can't be seen what is done with it."
                yield self.by_hand(span, _MESSAGE, advice)
            else:
                edits = edits or [retexted(document, found.literal, "Termination")]
                yield self.fixable(span, _MESSAGE, "Do it on Termination.", edits)


def _is_beside_others(code: PythonDocument, test: TypeTest) -> bool:
    """In a table that has an entry for the end as well, or for turns (TM018)."""
    table = code.parent(test.node)
    if test.form is not Form.TABLE or not isinstance(table, cst.Dict):
        return False
    return bool(_OTHERS & {entry.key for entry in entries(code, table)})


def _left_out(code: PythonDocument, found: TypeName) -> Edit | None:
    """The edit that takes it out of the list right of `in`; None: it stands in none, or alone."""
    element = code.parent(found.literal)
    container = code.parent(element) if isinstance(element, cst.Element) else None
    if not isinstance(container, cst.Tuple | cst.List | cst.Set) or len(container.elements) < 2:
        return None
    if any(test.form not in (Form.IN, Form.NOT_IN) for test in found.tests):
        return None
    values = [code.span(each.value) for each in container.elements]
    place = values.index(code.span(found.literal))
    if isinstance(container, cst.Tuple) and len(values) == 2:
        return Edit(code.span(container), f"{code.source(container.elements[1 - place].value)},")
    if place + 1 < len(values):
        return Edit(Span(values[place].start, values[place + 1].start), "")
    return Edit(Span(values[place - 1].end, values[place].end), "")


def _hides_the_end(code: PythonDocument, found: TypeName) -> bool:
    """Whether, as Termination, it would catch what another place of the same function does at the end."""
    places = {id(code.function(test.node)) for test in found.tests if _goes_no_further(code, test)}
    ended = type_names(code, frozenset({"SessionTerminated", "Termination"}))
    return any(id(code.function(test.node)) in places for name in ended for test in name.tests)


def _goes_no_further(code: PythonDocument, test: TypeTest) -> bool:
    if test.form is not Form.EQUAL:
        return True
    branch = code.parent(test.node)
    body = branch.body.body if isinstance(branch, cst.If) else ()
    last = body[-1] if body else None
    if isinstance(last, cst.SimpleStatementLine):
        last = last.body[-1]
    return isinstance(last, cst.Return | cst.Continue | cst.Break | cst.Raise)


def _merged(code: PythonDocument, found: TypeName) -> list[Edit] | None:
    """SessionInformation and SessionTerminated in one chain of `elif`: the first branch does what both did.

    Empty: no such chain, the name alone changes. None: there is one, but it can't be merged.
    """
    branch = _branch(code, found)
    chain = _chain(code, branch) if branch is not None else []
    ended = frozenset({"SessionTerminated", "Termination"})
    other = next((b for name in type_names(code, ended) if (b := _branch(code, name)) in chain), None)
    if branch is None or other is None:
        return []
    if not isinstance(branch.body, cst.IndentedBlock) or not isinstance(other.body, cst.IndentedBlock):
        return None
    is_before = code.span(branch).start < code.span(other).start
    first, second = (branch, other) if is_before else (other, branch)
    kept, moved = _lines(code, first.body), _lines(code, second.body)
    head = code.line_starts[code.place(code.span(second).start).line - 1]
    place = kept.end if is_before else kept.start
    text = code.text[moved.start : moved.end]
    edits = [Edit(Span(place, place), text), Edit(Span(head, moved.end), "")]
    return [retexted(code, found.literal, "Termination"), *edits] if is_before else edits


def _lines(code: PythonDocument, body: cst.BaseSuite) -> Span:
    """The lines of a block."""
    start = code.line_starts[code.place(code.span(body.body[0]).start).line - 1]
    last = code.place(code.span(body.body[-1]).end)
    ends_line = last.column == 1 and last.line > 1
    line = last.line - 1 if ends_line else last.line
    return Span(start, code.line_starts[line] if line < len(code.line_starts) else len(code.text))


def _branch(code: PythonDocument, found: TypeName) -> cst.If | None:
    """The `if` or `elif` that tests nothing but this name."""
    node = found.tests[0].node if len(found.tests) == 1 else None
    parent = code.parent(node) if node is not None and found.tests[0].form is Form.EQUAL else None
    return parent if isinstance(parent, cst.If) else None


def _chain(code: PythonDocument, branch: cst.If) -> list[cst.If]:
    head = branch
    while isinstance(parent := code.parent(head), cst.If) and parent.orelse is head:
        head = parent
    chain = [head]
    while isinstance(chain[-1].orelse, cst.If):
        chain.append(chain[-1].orelse)
    return chain
