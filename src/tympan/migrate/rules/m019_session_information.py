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
        "SessionTerminated, the two branches become one that does what both did."
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
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        if not speaks_v2(document):
            return
        for found in type_names(document, frozenset({"SessionInformation"})):
            span = document.span(found.literal)
            is_seen = not any(test.form is Form.OTHER or _is_beside_others(document, test) for test in found.tests)
            edits = _merged(document, found) if is_seen else None
            if edits is None:
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
