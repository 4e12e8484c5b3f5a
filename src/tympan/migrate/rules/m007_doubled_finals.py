"""TM007: the end of a turn comes twice, unformatted and formatted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import libcst as cst

from tympan.migrate.matching.evidence import TYPE_NAMES, speaks_v2
from tympan.migrate.matching.messages import Access, message_accesses
from tympan.migrate.matching.names import variable_key
from tympan.migrate.matching.source import Function, PythonDocument
from tympan.migrate.matching.turns import returns_values, skip_unformatted_end, way_out
from tympan.migrate.matching.type_tests import Form, TypeTest, type_names
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_PRELUDE = "import json\n\ndef on_message(ws, message):\n    msg = json.loads(message)\n"


class DoubledFinals(Rule[PythonDocument]):
    code = "TM007"
    title = "The unformatted end of a turn is skipped"
    what = (
        "A function that takes the text of messages without asking whether they are final, or that takes everything "
        "but partials for final. With `format_turns` the end of a turn comes twice, first unformatted (`end_of_turn` "
        "alone), then formatted (`turn_is_formatted` too). The fix leaves the function, or goes on with the loop, "
        "at the first."
    )
    why = "Every final would be shown twice."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (
        Valid(
            "PATH = '/v2/realtime/ws'\nshow = lambda msg: print(msg['transcript'])\n\n"
            "def on_message(ws, raw):\n    msg = json.loads(raw)\n"
            "    if msg['type'] == 'Turn' and msg['end_of_turn'] and msg['turn_is_formatted']:\n        show(msg)\n",
            "asked by the caller",
        ),
        Valid(_PRELUDE + "    if msg['message_type'] == 'FinalTranscript':\n        print(msg['text'])\n"),
        Valid(_PRELUDE + "    if msg['type'] == 'Turn':\n        print(msg['transcript'])\n"),
    )
    invalid = (
        Invalid(
            _PRELUDE + "    if msg['message_type'] == 'PartialTranscript':\n        print(msg['text'], end='\\r')\n"
            "    else:\n        print(msg['text'])\n",
            _PRELUDE + "    if msg.get('end_of_turn') and not msg.get('turn_is_formatted'):\n"
            "        return  # the same turn comes again, formatted\n"
            "    if msg['message_type'] == 'PartialTranscript':\n        print(msg['text'], end='\\r')\n"
            "    else:\n        print(msg['text'])\n",
        ),
        Invalid(
            "import json\n\nasync def receive(ws):\n    # Until it ends.\n    async for message in ws:\n"
            "        if json.loads(message)['message_type'] != 'SessionBegins':\n"
            "            print(json.loads(message)['text'])\n",
            "import json\n\nasync def receive(ws):\n    # Until it ends.\n    async for message in ws:\n"
            "        if json.loads(message).get('end_of_turn') and not json.loads(message).get('turn_is_formatted'):\n"
            "            continue  # the same turn comes again, formatted\n"
            "        if json.loads(message)['message_type'] != 'SessionBegins':\n"
            "            print(json.loads(message)['text'])\n",
            about="in a loop",
        ),
        Invalid(
            "def on_message(ws, raw):\n    msg = json.loads(raw)\n    if msg['message_type'] == 'SessionBegins':\n"
            "        return\n    show(msg['text'])\n",
            "def on_message(ws, raw):\n    msg = json.loads(raw)\n"
            "    if msg.get('end_of_turn') and not msg.get('turn_is_formatted'):\n"
            "        return  # the same turn comes again, formatted\n"
            "    if msg['message_type'] == 'SessionBegins':\n        return\n    show(msg['text'])\n",
        ),
        Invalid(
            "def text_of(msg):\n    if msg['message_type'] == 'SessionTerminated':\n        return None\n"
            "    return msg['text']\n",
            "def text_of(msg):\n    if msg.get('end_of_turn') and not msg.get('turn_is_formatted'):\n"
            "        return  # the same turn comes again, formatted\n"
            "    if msg['message_type'] == 'SessionTerminated':\n        return None\n"
            "    return msg['text']\n",
            is_unsafe=True,
            about="its callers must bear that it returns nothing",
        ),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        if not speaks_v2(document):
            return
        tests = _tests_by_function(document)
        groups: dict[object, list[Access]] = defaultdict(list)
        for access in message_accesses(document):
            groups[(document.function(access.node), variable_key(document, access.base))].append(access)
        for found in groups.values():
            text = next((access for access in found if access.key in ("text", "transcript")), None)
            function = document.function(found[0].node)
            if text is None or any(access.key == "end_of_turn" for access in found):
                continue
            if not _tells_finals_apart(tests[function]) and not _is_tested_before(document, text, tests):
                yield self._finding(document, found, text)

    def _finding(self, code: PythonDocument, found: list[Access], text: Access) -> Finding:
        message = "the end of a turn would be taken twice, unformatted and formatted"
        advice = "Skip a Turn that has end_of_turn without turn_is_formatted."
        first = min((code.statement(access.node) for access in found), key=lambda node: code.span(node))
        function = code.function(text.node)
        edit = skip_unformatted_end(code, first, code.source(text.base), _quote(text))
        if edit is None or isinstance(function, cst.Lambda):
            return self.by_hand(code.span(text.node), message, f"{advice} No way to leave this place is seen.")
        is_safe = way_out(code, first) == "continue" or not returns_values(code, function)
        return self.fixable(code.span(text.node), message, advice, [edit], is_safe=is_safe)


def _tests_by_function(code: PythonDocument) -> dict[Function | None, list[tuple[str, TypeTest]]]:
    found: dict[Function | None, list[tuple[str, TypeTest]]] = defaultdict(list)
    for name in type_names(code, TYPE_NAMES):
        for test in name.tests:
            found[code.function(test.node)].append((name.name, test))
    return found


def _tells_finals_apart(tests: list[tuple[str, TypeTest]]) -> bool:
    """Whether a final is asked for by name, or whatever isn't a partial (both are fixed where they stand)."""
    return any(
        name == "FinalTranscript"
        or (name == "PartialTranscript" and test.form in (Form.NOT_EQUAL, Form.IN, Form.NOT_IN))
        for name, test in tests
    )


def _is_tested_before(
    code: PythonDocument, text: Access, tests: dict[Function | None, list[tuple[str, TypeTest]]]
) -> bool:
    """Whether the message comes from a function of the file that asks (or from a table by type)."""
    function = code.function(text.node)
    key = variable_key(code, text.base)
    own = [access for access in message_accesses(code) if variable_key(code, access.base) == key]
    is_given = all(
        access.key not in ("message_type", "type") for access in own if code.function(access.node) is function
    )
    is_parameter = (
        function is not None
        and isinstance(text.base, cst.Name)
        and any(parameter.name.value == text.base.value for parameter in function.params.params)
    )
    if is_parameter and isinstance(function, cst.FunctionDef) and any(n in function.name.value for n in TYPE_NAMES):
        return True  # called by the name of the type: TM018
    is_asked_elsewhere = any(tests[other] for other in tests if other is not function) or any(
        access.key == "turn_is_formatted" and code.function(access.node) is not function
        for access in message_accesses(code)
    )
    return is_given and is_parameter and is_asked_elsewhere


def _quote(access: Access) -> str:
    return access.key_node.quote[0] if isinstance(access.key_node, cst.SimpleString) else '"'
