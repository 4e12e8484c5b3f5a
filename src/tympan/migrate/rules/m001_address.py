"""TM001: the address of the streaming service."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tympan.migrate.matching.addresses import Move, moved, moved_origin
from tympan.migrate.matching.evidence import speaks_v2
from tympan.migrate.matching.names import is_call_of
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.matching.strings import pieces, text_roots
from tympan.migrate.rule import HOSTED_ADDRESS, Applicability, Finding, Invalid, Rule, Target, Valid


class Address(Rule[PythonDocument]):
    code = "TM001"
    title = "The streaming address is `wss://streaming.assemblyai.com/v3/ws`"
    what = (
        "The address of the old streaming service, `wss://api.assemblyai.com/v2/realtime/ws`, however it is put "
        "together: in one text, with `+`, in an f-string, with `.format`, from constants. The fix writes the address "
        "of v3, or that of `--host`. A host that is also used for other things, such as transcripts of files, stays "
        "as it is there. Hosts that aren't the vendor's stay, unless `--host` is given."
    )
    why = "The old address answers 410: no session begins."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (
        Valid('URL = "wss://streaming.assemblyai.com/v3/ws?sample_rate=16000"\n'),
        Valid(
            'URL = "https://api.assemblyai.com/v2/transcript"\n', "files are transcribed at the same address as ever"
        ),
        Valid('"""Moved from wss://api.assemblyai.com/v2/realtime/ws last year."""\n', "a docstring is no address"),
    )
    invalid = (
        Invalid(
            "ws = websocket.WebSocketApp(\n"
            "    f'wss://api.assemblyai.com/v2/realtime/ws?sample_rate={SAMPLE_RATE}',\n)\n",
            "ws = websocket.WebSocketApp(\n    f'wss://streaming.assemblyai.com/v3/ws?sample_rate={SAMPLE_RATE}',\n)\n",
        ),
        Invalid(
            'HOST = "api.assemblyai.com"\nURL = "wss://" + HOST + "/v2/realtime/ws?sample_rate=%d" % rate\n',
            'HOST = "streaming.assemblyai.com"\nURL = "wss://" + HOST + "/v3/ws?sample_rate=%d" % rate\n',
            about="the host is a constant that nothing else needs",
        ),
        Invalid(
            'HOST = "api.assemblyai.com"\n'
            'URL = f"wss://{HOST}/v2/realtime/ws"\n'
            'FILES = f"https://{HOST}/v2/transcript"\n',
            'HOST = "api.assemblyai.com"\n'
            'URL = f"wss://streaming.assemblyai.com/v3/ws"\n'
            'FILES = f"https://{HOST}/v2/transcript"\n',
            about="the host is needed elsewhere",
        ),
        Invalid(
            'HOST = os.getenv("SPEECH_HOST", "api.assemblyai.com")\nURL = f"wss://{HOST}/v2/realtime/ws"\n',
            'HOST = os.getenv("SPEECH_HOST", "streaming.assemblyai.com")\nURL = f"wss://{HOST}/v3/ws"\n',
            about="the host has a default",
        ),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        if not speaks_v2(document):
            return
        move = Move("/v2/realtime/ws", "/v3/ws", target.socket, HOSTED_ADDRESS)
        for root in text_roots(document):
            parts = pieces(document, root)
            written = next((p for p in parts if p.value is None and p.text and move.old_path in p.text), None)
            if written is None:
                continue
            span = written.span or document.span(root)
            edits = moved(document, parts, move)
            message = "this is the address of the old streaming service"
            if edits is None:
                yield self.by_hand(span, message, f"Write {target.socket}/v3/ws; it is put together in an unusual way.")
            else:
                yield self.fixable(span, message, f"Connect to {target.socket}/v3/ws.", edits)
        yield from self._defaults(document, move)

    def _defaults(self, code: PythonDocument, move: Move) -> Iterator[Finding]:
        """`os.getenv("HOST", "api.assemblyai.com")`."""
        for call in code.nodes(cst.Call):
            if len(call.args) == 2 and is_call_of(code, call, "os.getenv", "os.environ.get"):
                default = call.args[1].value
                edits = moved_origin(code, default, move) if isinstance(default, cst.SimpleString) else []
                if edits:
                    advice = f"Connect to {move.origin}."
                    yield self.fixable(code.span(default), "this is the host of the old service", advice, edits)
