"""TM061: the old SDK in JavaScript and TypeScript."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from tympan.migrate.matching.javascript import JavaScriptDocument
from tympan.migrate.matching.javascript_evidence import SDK_CLASSES, follows, is_sdk_imported
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_MEMBERS = MappingProxyType(
    {
        "forceEndUtterance": "Call forceEndpoint().",
        "configureEndUtteranceSilenceThreshold": "Call updateConfiguration({ max_turn_silence: ms }).",
    }
)
_OPTIONS = MappingProxyType(
    {
        "wordBoost": "Write keytermsPrompt.",
        "endUtteranceSilenceThreshold": "Write maxTurnSilence.",
        "disablePartialTranscripts": "Write includePartialTurns: false.",
    }
)
_EVENTS = MappingProxyType(
    {
        "transcript": "Listen for turn; its text is in transcript, and it is final where turn_is_formatted is true.",
        "transcript.partial": "Listen for turn; its text is in transcript; it is partial where end_of_turn is false.",
        "transcript.final": "Listen for turn; its text is in transcript; with formatTurns, it is final where "
        "turn_is_formatted is true.",
        "session_information": "Take the durations from the close of the session.",
    }
)


class JavaScriptSdk(Rule[JavaScriptDocument]):
    """The vendor's old SDK."""

    code = "TM061"
    title = "The old SDK in JavaScript and TypeScript"
    what = (
        "In files that import `assemblyai`: the classes and types of the old protocol, `client.realtime`, its events, "
        "options and methods. The new ones are reached by `client.streaming.transcriber({ sampleRate, formatTurns: "
        "true })`."
    )
    why = "`RealtimeTranscriber` connects to an address that answers 410."
    applicability = Applicability.BY_HAND
    document_type = JavaScriptDocument
    file_name = "client.ts"
    valid = (
        Valid(
            "import { AssemblyAI } from 'assemblyai'\nconst t = client.streaming.transcriber({ sampleRate: 16000 })\n"
        ),
        Valid("import { RealtimeTranscriber } from './ours'\nconst t = new RealtimeTranscriber()\n", "another's class"),
    )
    invalid = (
        Invalid("import { RealtimeTranscriber } from 'assemblyai'\n", None),
        Invalid(
            "const { AssemblyAI } = require('assemblyai')\nconst rt = client.realtime.transcriber({ wordBoost: [] })\n"
            "rt.on('transcript.final', (t) => console.log(t.text))\n",
            None,
        ),
    )

    def check(self, document: JavaScriptDocument, target: Target) -> Iterator[Finding]:
        if not is_sdk_imported(document):
            return
        has_old = any(self._is_old(document, token.text, before) for token, before in document.names())
        for token, before in document.names():
            name = token.text
            if name in SDK_CLASSES and before != ".":
                yield self.by_hand(token.span, f"{name} is of the old protocol", f"Use {SDK_CLASSES[name]}.")
            elif self._is_old(document, name, before):
                advice = "Use client.streaming: transcriber({ sampleRate, formatTurns: true }), createTemporaryToken."
                yield self.by_hand(token.span, "client.realtime is of the old protocol", advice)
            elif has_old and before == "." and name in _MEMBERS:
                yield self.by_hand(token.span, f"{name} is of the old protocol", _MEMBERS[name])
            elif has_old and name in _OPTIONS and before != ".":
                yield self.by_hand(token.span, f"{name} is an option of the old protocol", _OPTIONS[name])
        for event in document.texts() if has_old else ():
            if event.text in _EVENTS and self._is_listened_for(document, event.span.start):
                yield self.by_hand(event.span, f"the streaming client has no event {event.text}", _EVENTS[event.text])

    def _is_old(self, code: JavaScriptDocument, name: str, before: str) -> bool:
        return (name in SDK_CLASSES and before != ".") or (name == "realtime" and before == ".")

    def _is_listened_for(self, code: JavaScriptDocument, start: int) -> bool:
        """Whether a text is the first argument of `on`."""
        return any(
            token.text == "on" and before == "." and follows(code, token, "(") and 0 < start - token.span.end <= 3
            for token, before in code.names()
        )
