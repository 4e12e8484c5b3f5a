"""TM008: fields of messages that have another name."""

from __future__ import annotations

from collections.abc import Iterator

from tympan.migrate.matching.messages import message_accesses, pattern_fields, renamed, retexted
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_RENAMED = {
    "session_id": "id",
    "text": "transcript",
    "punctuated": "turn_is_formatted",
    "text_formatted": "turn_is_formatted",
}
_PRELUDE = "import json\n\ndef on_message(ws, message):\n    msg = json.loads(message)\n"


class Fields(Rule[PythonDocument]):
    code = "TM008"
    title = "`session_id` is `id`, `text` is `transcript`"
    what = (
        "Fields of the service's messages that were renamed: `session_id` is `id`, `text` is `transcript`, "
        "`punctuated` and `text_formatted` are `turn_is_formatted`. A word in `words` still has its `text`."
    )
    why = "The old fields are missing from v3's messages: texts would be empty, or the program would stop."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (
        Valid(
            _PRELUDE + "    if msg['message_type'] == 'FinalTranscript':\n"
            "        for word in msg['words']:\n            print(word['text'])\n",
            "a word's text",
        ),
        Valid(_PRELUDE + "    if msg['type'] == 'Turn':\n        print(msg['text'])\n", "a turn in some game"),
        Valid("print(reply['text'])\nENDED = 'SessionTerminated'\n", "nothing shows that this is such a message"),
    )
    invalid = (
        Invalid(
            _PRELUDE + "    if msg['message_type'] == 'SessionBegins':\n        print(msg['session_id'])\n"
            "    text = msg.get('text', '')\n",
            _PRELUDE + "    if msg['message_type'] == 'SessionBegins':\n        print(msg['id'])\n"
            "    text = msg.get('transcript', '')\n",
        ),
        Invalid(
            "def show(final):\n    print(final['text'])\n\n"
            + _PRELUDE
            + "    if msg['message_type'] == 'FinalTranscript':\n        show(msg)\n",
            "def show(final):\n    print(final['transcript'])\n\n"
            + _PRELUDE
            + "    if msg['message_type'] == 'FinalTranscript':\n        show(msg)\n",
            about="in a function that gets the message",
        ),
        Invalid(
            "PATH = '/v3/ws'\n" + _PRELUDE + "    if msg['type'] == 'Turn':\n        print(msg['text'])\n",
            "PATH = '/v3/ws'\n" + _PRELUDE + "    if msg['type'] == 'Turn':\n        print(msg['transcript'])\n",
            about="forgotten by whoever moved the rest",
        ),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        for access in message_accesses(document):
            new = _RENAMED.get(access.key)
            if new is None:
                continue
            span, message = document.span(access.key_node), f"messages have '{new}', not '{access.key}'"
            edits = renamed(document, access, new)
            if edits:
                yield self.fixable(span, message, f"Ask for '{new}'.", edits)
            else:
                yield self.by_hand(span, message, f"Ask for '{new}'; the key is made elsewhere, look there.")
        for key, node in pattern_fields(document):
            if key in _RENAMED:
                span, message = document.span(node), f"messages have '{_RENAMED[key]}', not '{key}'"
                edit = retexted(document, node, _RENAMED[key])
                yield self.fixable(span, message, f"Ask for '{_RENAMED[key]}'.", [edit])
