"""TM045: the old SDK's temporary tokens."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tympan.migrate.matching.names import argument
from tympan.migrate.matching.numbers import number_of
from tympan.migrate.matching.sdk import CLIENT, TRANSCRIBER, is_used, old_name
from tympan.migrate.matching.sdk_imports import import_edits, local, settings
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_LONGEST_S = 600
"""The token call of v3 takes 1 to 600 seconds."""

_BEFORE = """\
import assemblyai as aai

aai.RealtimeTranscriber.create_temporary_token(expires_in=3600)
"""

_AFTER = """\
import assemblyai as aai
from assemblyai.streaming.v3 import StreamingClient, StreamingClientOptions

StreamingClient(StreamingClientOptions(api_key=aai.settings.api_key)).create_temporary_token(expires_in_seconds=600)
"""


class SdkToken(Rule[PythonDocument]):
    """Temporary tokens."""

    code = "TM045"
    title = "The SDK's create_temporary_token is a method of the client"
    what = (
        "`RealtimeTranscriber.create_temporary_token(expires_in=…)` becomes a call on a `StreamingClient` with "
        "`expires_in_seconds`, 600 at most: v3 counts the time in which a session may be opened, and an open session "
        "lasts as long as it may."
    )
    why = "The class method was removed, and longer times are refused."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (
        Valid(
            "from assemblyai.streaming.v3 import StreamingClient\n\n"
            "def token(client: StreamingClient):\n    return client.create_temporary_token(expires_in_seconds=60)\n"
        ),
    )
    invalid = (Invalid(_BEFORE, _AFTER),)

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        for call in document.nodes(cst.Call) if is_used(document) else ():
            match call.func:
                case cst.Attribute(value=owner, attr=cst.Name("create_temporary_token")):
                    if old_name(document, owner) == TRANSCRIBER:
                        yield self._finding(document, call, target)

    def _finding(self, code: PythonDocument, call: cst.Call, target: Target) -> Finding:
        span, message = code.span(call.func), "RealtimeTranscriber.create_temporary_token is gone"
        given = argument(call, "expires_in", 0)
        if given is None or not target.http.startswith("https://"):
            return self.by_hand(
                span,
                message,
                f"Ask {target.http}/v3/token?expires_in_seconds=60 with the key; the SDK speaks https only.",
            )
        options = f"{local(code, 'StreamingClientOptions')}({self._options(code, target)})"
        client = f"{local(code, CLIENT)}({options})"
        text = f"{client}.create_temporary_token(expires_in_seconds={_seconds(code, given)})"
        edits = [code.replace(call, text), *import_edits(code, CLIENT, "StreamingClientOptions")]
        return self.fixable(span, message, "Ask a StreamingClient for it, for 600 seconds at most.", edits)

    def _options(self, code: PythonDocument, target: Target) -> str:
        key = f"api_key={settings(code)}.api_key"
        return key if target == Target() else f'{key}, api_host="{target.http.removeprefix("https://")}"'


def _seconds(code: PythonDocument, given: cst.BaseExpression) -> str:
    seconds = number_of(code, given)
    if seconds is None:
        return f"min({code.source(given)}, {_LONGEST_S})"
    return code.source(given) if seconds <= _LONGEST_S else str(_LONGEST_S)
