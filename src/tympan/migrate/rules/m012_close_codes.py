"""TM012: the codes with which the service closes a connection."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tympan.migrate.matching.evidence import speaks_v2
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_CODES = {
    4000: 3006,
    4001: 1008,
    4002: 1008,
    4003: 1008,
    4008: 3008,
    4029: 3007,
    4031: 3006,
    4032: 3007,
    4033: 3007,
    4100: 3006,
    4101: 3006,
    4102: 3009,
    4104: 3006,
}
_GONE = frozenset({4004, 4010, 4030, 4034, 4103})
_LONGEST = 9
"""Digits that are looked at: Python converts no number of thousands of them."""
_MEANINGS = {
    1008: "the key or the account",
    3006: "a parameter or a message, or nothing came for too long",
    3007: "audio too fast, or a message of it too short or too long",
    3008: "the session lasted as long as it may",
    3009: "too many sessions",
}


class CloseCodes(Rule[PythonDocument]):
    code = "TM012"
    title = "Connections are closed with other codes"
    what = (
        "Codes 4000 to 4104 that are compared with something, or are keys of a table. 4001, 4002 and 4003 are 1008; "
        "4008 is 3008; 4029, 4032 and 4033 are 3007; 4102 is 3009; 4000, 4031, 4100, 4101 and 4104 are 3006. 4004, "
        "4010, 4030, 4034 and 4103 have no counterpart. The fix changes codes in comparisons. In tables and lists, "
        "where several become one, this is left to you."
    )
    why = "What the program does on such a code, giving up or trying again, would no longer happen."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (
        Valid("if port == 4001:\n    pass\n", "nothing in the file speaks of the service"),
        Valid("ENDED = 'SessionTerminated'\nif code == 3008:\n    pass\nport = 4001\n"),
    )
    invalid = (
        Invalid(
            "ENDED = 'SessionTerminated'\nif error.code == 4008:\n    reconnect()\n",
            "ENDED = 'SessionTerminated'\nif error.code == 3008:\n    reconnect()\n",
        ),
        Invalid(
            "ENDED = 'SessionTerminated'\nif code in (4008, 4031):\n    pass\n",
            "ENDED = 'SessionTerminated'\nif code in (3008, 3006):\n    pass\n",
        ),
        Invalid("ENDED = 'SessionTerminated'\nTEXTS = {4001: 'who are you?', 4002: 'pay first'}\n", None),
        Invalid("ENDED = 'SessionTerminated'\nif code == 4010:\n    pass\n", None, about="no longer there"),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        if not speaks_v2(document):
            return
        for node in document.nodes(cst.Integer):
            old = int(node.value) if node.value.isdigit() and len(node.value) <= _LONGEST else 0
            if old not in _CODES and old not in _GONE:
                continue
            parent = document.parent(node)
            is_compared = isinstance(parent, cst.Comparison | cst.ComparisonTarget) or _is_looked_for(document, parent)
            if not is_compared and not _is_listed(document, node):
                continue
            span, new = document.span(node), _CODES.get(old)
            if new is None:
                yield self.by_hand(span, f"v3 doesn't close with {old}", "Take it out; nothing has come in its place.")
            elif is_compared:
                advice = f"{new}: {_MEANINGS[new]}."
                yield self.fixable(span, f"v3 closes with {new}, not {old}", advice, [document.replace(node, str(new))])
            else:
                advice = f"{new}: {_MEANINGS[new]}. Several old codes are one new one; what stands beside them must be "
                yield self.by_hand(span, f"v3 closes with {new}, not {old}", advice + "put together.")


def _is_looked_for(code: PythonDocument, element: cst.CSTNode) -> bool:
    """An element of what stands right of `in`: one that stands there twice does no harm."""
    return isinstance(element, cst.Element) and isinstance(code.parent(code.parent(element)), cst.ComparisonTarget)


def _is_listed(code: PythonDocument, node: cst.Integer) -> bool:
    """A key of a dict, or an element that `in` looks for."""
    parent = code.parent(node)
    if isinstance(parent, cst.DictElement):
        return parent.key is node
    return isinstance(parent, cst.Element | cst.MatchValue)
