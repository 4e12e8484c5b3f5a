"""TM041: the old SDK's data classes have other names."""

from __future__ import annotations

from collections.abc import Iterator

from tympan.migrate.matching.sdk import RENAMED, TRANSCRIBER, is_used, references
from tympan.migrate.matching.sdk_imports import import_edits, is_made, is_type_test, local, unused_imports
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_BEFORE = """\
from assemblyai import AudioEncoding, RealtimeTranscript, Transcriber

def on_data(transcript: RealtimeTranscript):
    print(AudioEncoding.pcm_mulaw)
"""

_AFTER = """\
from assemblyai import Transcriber
from assemblyai.streaming.v3 import Encoding, TurnEvent

def on_data(transcript: TurnEvent):
    print(Encoding.pcm_mulaw)
"""


class SdkNames(Rule[PythonDocument]):
    """Names of the old SDK's data classes."""

    code = "TM041"
    title = "The SDK's data classes have other names"
    what = (
        "`RealtimeTranscript`, `RealtimePartialTranscript` and `RealtimeFinalTranscript` become `TurnEvent`, "
        "`RealtimeSessionOpened` becomes `BeginEvent`, `RealtimeSessionInformation` becomes `TerminationEvent`, "
        "`RealtimeError` becomes `StreamingError`, `RealtimeWord` becomes `Word`, `AudioEncoding` becomes `Encoding`, "
        "all of `assemblyai.streaming.v3`. Where the file has a thing of that name, it is imported under another."
    )
    why = "The old names can't be imported from the current SDK."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (Valid("from assemblyai.streaming.v3 import TurnEvent\n\ndef on_turn(client, turn: TurnEvent): ...\n"),)
    invalid = (Invalid(_BEFORE, _AFTER),)

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        if not is_used(document):
            return
        for node, old in references(document):
            if (old == TRANSCRIBER and is_made(document, node)) or is_type_test(document, node):
                continue
            new = local(document, RENAMED[old])
            edits = [document.replace(node, new), *import_edits(document)]
            yield self.fixable(document.span(node), f"{old} is gone", f"Use {new} of assemblyai.streaming.v3.", edits)
        for alias, edits_of_alias in unused_imports(document):
            message = f"{alias.evaluated_name} can't be imported any more"
            yield self.fixable(document.span(alias.name), message, "Leave it out: nothing uses it.", edits_of_alias)
