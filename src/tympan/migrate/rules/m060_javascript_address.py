"""TM060: the address in JavaScript and TypeScript."""

from __future__ import annotations

from collections.abc import Iterator

from tympan.migrate.document import Span
from tympan.migrate.matching.javascript import JavaScriptDocument
from tympan.migrate.matching.javascript_evidence import ADDRESS
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid


class JavaScriptAddress(Rule[JavaScriptDocument]):
    """Addresses of the old protocol."""

    code = "TM060"
    title = "The address in JavaScript and TypeScript"
    what = (
        "Finds the old addresses in strings and templates, not in comments. JavaScript and TypeScript are never "
        "changed: what to write is in the advice."
    )
    why = "The old addresses answer 410: nothing can connect."
    applicability = Applicability.BY_HAND
    document_type = JavaScriptDocument
    file_name = "client.ts"
    valid = (
        Valid("// it was wss://api.assemblyai.com/v2/realtime/ws\nconst port = 80\n", "a comment"),
        Valid("fetch('https://api.assemblyai.com/v2/transcript')\n", "batch transcription stays where it is"),
        Valid("const url = `wss://streaming.assemblyai.com/v3/ws?sample_rate=${rate}`\n"),
    )
    invalid = (
        Invalid("const url = `wss://api.assemblyai.com/v2/realtime/ws?sample_rate=${rate}`\n", None),
        Invalid("axios.post('https://api.assemblyai.com/v2/realtime/token', {})\n", None),
    )

    def check(self, document: JavaScriptDocument, target: Target) -> Iterator[Finding]:
        for token in document.texts() if ADDRESS.search(document.text) else ():
            found = ADDRESS.search(token.text)
            if found is None:
                continue
            advice = f"Connect to {target.socket}/v3/ws with sample_rate and format_turns=true in the query."
            if found.group().endswith("token"):
                advice = f"GET {target.http}/v3/token?expires_in_seconds=60 with the key in the Authorization header."
            span = Span(token.span.start + found.start(), token.span.start + found.end())
            yield self.by_hand(span, "an address of the old protocol", advice)
