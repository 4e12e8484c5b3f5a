"""TM043: the old SDK's controls of the session have other names."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.sdk import is_used
from tympan.migrate.matching.sdk_imports import import_edits, local
from tympan.migrate.matching.sdk_parameters import SILENCE_ALONE
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_FORCE = "force_end_utterance"
_CONFIGURE = "configure_end_utterance_silence_threshold"

_BEFORE = """\
import assemblyai as aai

def hurry(transcriber):
    transcriber.configure_end_utterance_silence_threshold(300)
    transcriber.force_end_utterance()
"""

_AFTER = """\
import assemblyai as aai
from assemblyai.streaming.v3 import StreamingSessionParameters

def hurry(transcriber):
    transcriber.set_params(StreamingSessionParameters(max_turn_silence=300, end_of_turn_confidence_threshold=1))
    transcriber.force_endpoint()
"""


class SdkControls(Rule[PythonDocument]):
    """Controls of a running session."""

    code = "TM043"
    title = "The SDK's controls of a session have other names"
    what = (
        "`force_end_utterance()` becomes `force_endpoint()`, `configure_end_utterance_silence_threshold(ms)` becomes "
        "`set_params(StreamingSessionParameters(max_turn_silence=ms, …))`; with a confidence threshold of 1 turns "
        "end by silence alone, as they did."
    )
    why = "The client has no such methods any more."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (
        Valid("from assemblyai.streaming.v3 import StreamingClient\n\ndef f(client):\n    client.force_endpoint()\n"),
        Valid("def hurry(transcriber):\n    transcriber.force_end_utterance()\n", about="no program for this SDK"),
    )
    invalid = (Invalid(_BEFORE, _AFTER),)

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        if not is_used(document):
            return
        for call in document.nodes(cst.Call):
            match call:
                case cst.Call(func=cst.Attribute(attr=cst.Name("force_end_utterance") as name), args=[]):
                    edits = [document.replace(name, "force_endpoint"), *import_edits(document)]
                    yield self.fixable(document.span(name), f"{_FORCE} is gone", "Call force_endpoint.", edits)
                case cst.Call(
                    func=cst.Attribute(attr=cst.Name("configure_end_utterance_silence_threshold") as name), args=[arg]
                ):
                    yield self._threshold(document, call, name, arg)

    def _threshold(self, code: PythonDocument, call: cst.Call, name: cst.Name, arg: cst.Arg) -> Finding:
        new_name = local(code, "StreamingSessionParameters")
        parameters = f"{new_name}(max_turn_silence={code.source(arg.value)}, {SILENCE_ALONE})"
        span = Span(code.span(name).start, code.span(call).end)
        edits = [Edit(span, f"set_params({parameters})"), *import_edits(code, "StreamingSessionParameters")]
        return self.fixable(code.span(name), f"{_CONFIGURE} is gone", f"Call set_params with {parameters}.", edits)
