"""TM005: the key of a message's type."""

from __future__ import annotations

from collections.abc import Iterator

from tympan.migrate.matching.messages import Style, message_accesses, pattern_fields, renamed, retexted
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid


class MessageTypeKey(Rule[PythonDocument]):
    code = "TM005"
    title = "`message_type` is `type`"
    what = "A message of the service is asked for its `message_type`. The fix asks for its `type`."
    why = "Messages of v3 have no `message_type`: nothing would be recognised."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (
        Valid("print(bus_message['message_type'])\n", "nothing in the file speaks of the service"),
        Valid("kind = data.get('type')\nif kind == 'Begin':\n    pass\n"),
    )
    invalid = (
        Invalid(
            "kind = data.get('message_type')  # what it is\nif kind == 'SessionBegins':\n    pass\n",
            "kind = data.get('type')  # what it is\nif kind == 'SessionBegins':\n    pass\n",
        ),
        Invalid(
            'KEY = "message_type"\nif data[KEY] == "SessionTerminated":\n    pass\n',
            'KEY = "type"\nif data[KEY] == "SessionTerminated":\n    pass\n',
            about="the key is a constant",
        ),
        Invalid(
            "match data:\n    case {'message_type': 'SessionTerminated'}:\n        pass\n",
            "match data:\n    case {'type': 'SessionTerminated'}:\n        pass\n",
        ),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        for access in message_accesses(document):
            if access.key != "message_type" or access.style is Style.CONTAINS:
                continue  # whether there is a type at all is asked for errors: TM011
            edits = renamed(document, access, "type")
            span, message = document.span(access.key_node), "the type of a message is under 'type', not 'message_type'"
            if edits:
                yield self.fixable(span, message, "Ask for 'type'.", edits)
            else:
                yield self.by_hand(span, message, "Ask for 'type'; the key is made elsewhere, look there.")
        for key, node in pattern_fields(document):
            if key == "message_type":
                message = "the type of a message is under 'type', not 'message_type'"
                yield self.fixable(document.span(node), message, "Ask for 'type'.", [retexted(document, node, "type")])
