"""TM062: messages of the old protocol in JavaScript and TypeScript."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from tympan.migrate.matching.javascript import JavaScriptDocument
from tympan.migrate.matching.javascript_evidence import MESSAGE_TYPES, has_address, speaks_v2
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_TYPES = MappingProxyType(
    {
        "SessionBegins": "Expect Begin; its id is in id, expires_at is in seconds since 1970.",
        "PartialTranscript": "Expect Turn with end_of_turn false; its text is in transcript.",
        "FinalTranscript": "Expect Turn with turn_is_formatted true (ask for format_turns); its text is in transcript.",
        "SessionInformation": "Take the durations from Termination.",
        "SessionTerminated": "Expect Termination.",
    }
)
_FIELDS = MappingProxyType(
    {
        "message_type": "Read type.",
        "audio_data": "Send the bytes as a binary message, 50 to 1000 ms of audio each.",
        "terminate_session": "Send { type: 'Terminate' }.",
        "force_end_utterance": "Send { type: 'ForceEndpoint' }.",
        "end_utterance_silence_threshold": "Send { type: 'UpdateConfiguration', max_turn_silence: ms }.",
        "session_id": "Read id of Begin.",
        "audio_start": "Read words[0].start of Turn; turn_order tells the turns apart.",
        "audio_end": "Read words[words.length - 1].end of Turn.",
    }
)
_WITH_ADDRESS = frozenset({"session_id"})
"""Everybody's names: told only beside an old address."""


class JavaScriptMessages(Rule[JavaScriptDocument]):
    """Messages sent and read."""

    code = "TM062"
    title = "Messages in JavaScript and TypeScript"
    what = (
        "In files that speak the old protocol (by an address, by the types of its messages, or by a message that "
        "nothing else has): the types and fields of messages, in code and in types of TypeScript."
    )
    why = "Messages of v3 have other types and fields, and audio goes as bytes."
    applicability = Applicability.BY_HAND
    document_type = JavaScriptDocument
    file_name = "client.ts"
    valid = (
        Valid("if (message.type === 'Turn') show(message.transcript)\n"),
        Valid("const hello = { message_type: 'hello', session_id: 'x' }\n", "another's protocol"),
        Valid("// terminate_session was sent here\nsocket.close()\n", "a comment"),
    )
    invalid = (
        Invalid("if (m.message_type === 'FinalTranscript') show(m.text)\n", None),
        Invalid("socket.send(JSON.stringify({ terminate_session: true }))\n", None),
    )

    def check(self, document: JavaScriptDocument, target: Target) -> Iterator[Finding]:
        if not speaks_v2(document):
            return
        left_out = frozenset() if has_address(document) else _WITH_ADDRESS
        for token in document.tokens:
            if token.text in MESSAGE_TYPES and self._is_text(document, token.span.start):
                yield self.by_hand(token.span, f"v3 has no message {token.text}", _TYPES[token.text])
            elif token.text in _FIELDS and token.text not in left_out:
                yield self.by_hand(token.span, f"{token.text} is a field of the old protocol", _FIELDS[token.text])

    def _is_text(self, code: JavaScriptDocument, start: int) -> bool:
        return code.text[start - 1 : start] in ("'", '"', "`")
