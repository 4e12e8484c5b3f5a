"""TM009: times, confidence and creation date of a transcript, which v3 tells by word or not at all."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tympan.migrate.document import Edit
from tympan.migrate.matching.imports import imported_together
from tympan.migrate.matching.messages import Access, Style, field, message_accesses, own_quote, pattern_fields
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_PRELUDE = (
    "import json\n\ndef on_message(ws, message):\n    msg = json.loads(message)\n"
    "    if msg['message_type'] == 'FinalTranscript':\n"
)


class WordTimes(Rule[PythonDocument]):
    code = "TM009"
    title = "Times and confidence are those of the words"
    what = (
        "`audio_start`, `audio_end`, `confidence` and `created` of a message. The fix takes the start of the first "
        "word, the end of the last one, the mean confidence of the words, all 0 where there is no word. `created` has "
        "no counterpart; the unsafe fix takes the time at which the message is handled."
    )
    why = "A Turn doesn't have these fields; each of its words has `start`, `end` and `confidence`."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (
        Valid(_PRELUDE + "        print([word['confidence'] for word in msg['words']])\n"),
        Valid("print(alternative['confidence'])\nENDED = 'SessionTerminated'\n"),
    )
    invalid = (
        Invalid(
            _PRELUDE + "        print(msg['audio_start'], msg.get('audio_end', 0))\n",
            _PRELUDE + "        print(msg['words'][0]['start'] if msg['words'] else 0, "
            "msg['words'][-1]['end'] if msg.get('words') else 0)\n",
        ),
        Invalid(
            _PRELUDE + "        confidence = msg['confidence']\n",
            _PRELUDE + "        confidence = sum(word['confidence'] for word in msg['words']) / "
            "max(len(msg['words']), 1)\n",
        ),
        Invalid(
            "from datetime import datetime\n" + _PRELUDE + "        print(msg['created'])\n",
            "from datetime import datetime, timezone\n"
            + _PRELUDE.replace("import json\n", "import json\n", 1)
            + "        print(datetime.now(timezone.utc).replace(tzinfo=None).isoformat())\n",
            is_unsafe=True,
        ),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        for access in message_accesses(document):
            name = access.key
            if name in ("audio_start", "audio_end", "confidence", "created"):
                yield self._finding(document, access)
        for key, node in pattern_fields(document):
            if key in ("audio_start", "audio_end", "confidence", "created"):
                advice = "Take it from 'words' in the body of the case; a pattern can't."
                yield self.by_hand(document.span(node), f"a Turn has no '{key}'", advice)

    def _finding(self, code: PythonDocument, access: Access) -> Finding:
        span, message = code.span(access.node), f"a Turn has no '{access.key}'"
        if access.style is Style.CONTAINS:
            return self.by_hand(span, message, "Ask for 'words', and what they have.")
        if isinstance(code.parent(access.node), cst.AssignTarget):
            return self.by_hand(span, message, "The program writes this field itself; read another one from 'words'.")
        if access.key == "created":
            source, edits = _now(code)
            edits.append(code.replace(access.node, source))
            advice = "Take the time at which it comes; the service tells none. Left as it is, reading it fails on v3."
            return self.fixable(span, message, advice, edits, is_safe=False)
        source = _source(code, access)
        alone = (cst.Arg, cst.Assign, cst.AnnAssign, cst.Element, cst.DictElement, cst.Return)
        edit = code.replace(access.node, source if isinstance(code.parent(access.node), alone) else f"({source})")
        return self.fixable(span, message, "Take it from the words.", [edit])


def _source(code: PythonDocument, access: Access) -> str:
    words = field(code, access, "words")
    base, quote = code.source(access.base), own_quote(code, access)
    listed = f"{base}[{quote}words{quote}]"
    default = "0" if access.default is None else code.source(access.default)
    if access.key == "confidence":
        confidences = f"sum(word[{quote}confidence{quote}] for word in {listed})"
        mean = f"{confidences} / max(len({listed}), 1)"
        return mean if access.style is Style.SUBSCRIPT else f"{mean} if {words} else {default}"
    index, name = ("0", "start") if access.key == "audio_start" else ("-1", "end")
    return f"{listed}[{index}][{quote}{name}{quote}] if {words} else {default}"


def _now(code: PythonDocument) -> tuple[str, list[Edit]]:
    """The time now, written as v2 wrote it: UTC without a zone."""
    (moment, zone), edits = imported_together(code, "datetime", "datetime", "timezone")
    return f"{moment}.now({zone}.utc).replace(tzinfo=None).isoformat()", edits
