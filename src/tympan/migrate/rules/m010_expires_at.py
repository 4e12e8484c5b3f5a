"""TM010: when a session expires, a number now."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tympan.migrate.document import Edit
from tympan.migrate.matching.imports import imported_together
from tympan.migrate.matching.messages import Access, message_accesses
from tympan.migrate.matching.names import bindings, qualified
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_PARSERS = {
    "datetime.datetime.fromisoformat",
    "datetime.datetime.strptime",
    "datetime.fromisoformat",
    "datetime.strptime",
    "dateutil.parser.parse",
    "dateutil.parser.isoparse",
}
_TEXT_METHODS = frozenset({"replace", "rstrip", "strip", "split", "removesuffix"})
_PRELUDE = (
    "import json\nfrom datetime import datetime\n\ndef on_message(ws, message):\n    msg = json.loads(message)\n"
    "    if msg['message_type'] == 'SessionBegins':\n"
)


class ExpiresAt(Rule[PythonDocument]):
    code = "TM010"
    title = "`expires_at` is a number of seconds"
    what = (
        "`expires_at` of the first message, parsed as a date (`fromisoformat`, `strptime`, dateutil) or cut like a "
        "text. It was an ISO date in UTC and is a whole number of seconds since 1970. The fix makes the same kind of "
        "date from it."
    )
    why = "Parsing a number as a date raises TypeError at the beginning of every session."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (
        Valid(_PRELUDE + "        print(datetime.fromtimestamp(msg['expires_at']))\n"),
        Valid(_PRELUDE + "        print('until', msg['expires_at'])\n", "shown as it comes"),
    )
    invalid = (
        Invalid(
            _PRELUDE + "        until = datetime.fromisoformat(msg['expires_at'])\n",
            _PRELUDE.replace("import datetime\n", "import datetime, timezone\n")
            + "        until = datetime.fromtimestamp(msg['expires_at'], timezone.utc).replace(tzinfo=None)\n",
        ),
        Invalid(
            _PRELUDE + "        expires = msg.get('expires_at')\n"
            "        print(datetime.strptime(expires.rstrip('Z'), '%Y-%m-%dT%H:%M:%S.%f'))\n",
            _PRELUDE.replace("import datetime\n", "import datetime, timezone\n")
            + "        expires = msg.get('expires_at')\n"
            "        print(datetime.fromtimestamp(expires, timezone.utc).replace(tzinfo=None))\n",
            about="through a variable",
        ),
        Invalid(_PRELUDE + "        print(msg['expires_at'][:19])\n", None, about="cut like a text"),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        reads = {id(access.node): access for access in message_accesses(document) if access.key == "expires_at"}
        if not reads:
            return
        parsed: set[int] = set()
        for call in document.nodes(cst.Call):
            if qualified(document, call.func) in _PARSERS and call.args:
                source = _untrimmed(call.args[0].value)
                if _reads(document, source, reads):
                    parsed |= {id(node) for node in (source, *document.ancestors(source))}
                    yield self._parsed(document, call, source)
        for node in document.nodes(cst.Subscript, cst.Attribute):
            is_method = isinstance(node, cst.Subscript) or node.attr.value in _TEXT_METHODS
            if is_method and id(node.value) not in parsed and _reads(document, node.value, reads):
                advice = "Make a date of it first: datetime.fromtimestamp(expires_at). What is meant can't be seen."
                yield self.by_hand(document.span(node), "expires_at is a number of seconds, not a text", advice)

    def _parsed(self, code: PythonDocument, call: cst.Call, source: cst.BaseExpression) -> Finding:
        (moment, zone), added = imported_together(code, "datetime", "datetime", "timezone")
        new = f"{moment}.fromtimestamp({code.source(source)}, {zone}.utc).replace(tzinfo=None)"
        edits: list[Edit] = [*added, code.replace(call, new)]
        message = "expires_at is a number of seconds, not an ISO date"
        return self.fixable(code.span(call), message, "Make the date with fromtimestamp.", edits)


def _untrimmed(node: cst.BaseExpression) -> cst.BaseExpression:
    """What `x.rstrip("Z")`, `x.replace(…)`, `x[:19]` begin with."""
    while True:
        match node:
            case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(name))) if name in _TEXT_METHODS:
                node = inner
            case cst.Subscript(value=inner, slice=[cst.SubscriptElement(slice=cst.Slice())]):
                node = inner
            case _:
                return node


def _reads(code: PythonDocument, node: cst.BaseExpression, reads: dict[int, Access]) -> bool:
    """Whether it is the field, or a variable that has it."""
    if id(node) in reads:
        return True
    if not isinstance(node, cst.Name | cst.Attribute):
        return False
    return any(id(binding.value) in reads for binding in bindings(code, node) if binding.value is not None)
