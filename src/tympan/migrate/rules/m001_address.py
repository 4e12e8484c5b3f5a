"""TM001: the address of the streaming service."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from tympan.migrate.document import Edit
from tympan.migrate.matching.addresses import OLD_HOST, Move, moved, moved_origin
from tympan.migrate.matching.evidence import speaks_v2
from tympan.migrate.matching.names import is_call_of, uses
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.matching.strings import UNKNOWN, address_roots, flat, pieces
from tympan.migrate.rule import HOSTED_ADDRESS, Applicability, Finding, Invalid, Rule, Target, Valid

_HOST = re.compile(rf"(?:\w+://)?{OLD_HOST}/?")


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
        Invalid(
            'VERSION = "v2"\nBASE = "wss://api.assemblyai.com"\nPATH = "/" + VERSION + "/realtime/ws"\n'
            "connect(BASE + PATH)\n",
            'VERSION = "v3"\nBASE = "wss://streaming.assemblyai.com"\nPATH = "/" + VERSION + "/ws"\n'
            "connect(BASE + PATH)\n",
            about="in many parts",
        ),
        Invalid(
            'class Settings:\n    host: str = "wss://api.assemblyai.com"\n',
            'class Settings:\n    host: str = "wss://streaming.assemblyai.com"\n',
            about="for another file: nothing else ever listened there",
        ),
        Invalid(
            "SERVICE = {'host': 'api.assemblyai.com'}\nENDED = 'SessionTerminated'\n",
            None,
            about="it isn't seen what is done with the host",
        ),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        if not speaks_v2(document):
            return
        move = Move("/v2/realtime/ws", "/v3/ws", target.socket, HOSTED_ADDRESS)
        made: set[Edit] = set()
        for root in address_roots(document):
            parts = pieces(document, root)
            if move.old_path not in flat(parts):
                continue
            edits = moved(document, parts, move)
            message = "this is the address of the old streaming service"
            if edits is None:
                advice = f"Write {target.socket}/v3/ws; it is put together in an unusual way."
                yield self.by_hand(document.span(root), message, advice)
            elif not made.issuperset(edits):
                made.update(edits)
                span = next((p.span for p in parts if p.span and move.old_path in (p.text or "")), document.span(root))
                origin = flat(parts).partition(move.old_path)[0]
                rest = "" if origin and UNKNOWN not in origin else " The host comes from elsewhere: change it there."
                yield self.fixable(span, message, f"Connect to {target.socket}/v3/ws.{rest}", edits)
        yield from self._hosts(document, move, made)

    def _hosts(self, code: PythonDocument, move: Move, made: set[Edit]) -> Iterator[Finding]:
        """`HOST = "wss://api.assemblyai.com"` for others, `os.getenv("HOST", "api.assemblyai.com")`."""
        for node in code.nodes(cst.SimpleString):
            text = node.evaluated_value
            if not isinstance(text, str) or not _HOST.fullmatch(text):
                continue
            if not text.startswith(("ws://", "wss://")) and not _is_default(code, node):
                is_moved = any(code.span(node).overlaps(edit.span) for edit in made)
                if "://" not in text and not is_moved and _is_untold(code, node):
                    advice = f"If it is used for streaming, connect to {move.origin}; what is done with it isn't seen."
                    yield self.by_hand(code.span(node), "this may be the host of the old streaming service", advice)
                continue
            edits = moved_origin(code, node, move)
            if edits and not made.issuperset(edits):
                yield self.fixable(
                    code.span(node),
                    "this is the host of the old streaming service",
                    f"Connect to {move.origin}.",
                    edits,
                )


def _is_untold(code: PythonDocument, node: cst.SimpleString) -> bool:
    """Whether no address of this file is made of it: it stands in a dict, an argument, a constant for others."""
    parent = code.parent(node)
    if isinstance(parent, cst.Assign) and len(parent.targets) == 1:
        roots = [code.span(root) for root in address_roots(code)]
        found = [code.span(use) for use in uses(code, parent.targets[0].target)]
        return not any(root.start <= use.start and use.end <= root.end for root in roots for use in found)
    return isinstance(parent, cst.DictElement | cst.Arg | cst.Param | cst.Element)


def _is_default(code: PythonDocument, node: cst.SimpleString) -> bool:
    arg = code.parent(node)
    call = code.parent(arg)
    is_call = isinstance(call, cst.Call) and is_call_of(code, call, "os.getenv", "os.environ.get")
    return is_call and isinstance(call, cst.Call) and len(call.args) == 2 and call.args[1] is arg
