"""TM001: the address of the streaming service."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.evidence import speaks_v2
from tympan.migrate.matching.names import is_call_of, uses, value_of
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.matching.strings import Piece, flat, literal, pieces, text_roots
from tympan.migrate.rule import HOSTED_ADDRESS, Applicability, Finding, Invalid, Rule, Target, Valid

_PATH = "/v2/realtime/ws"
_OLD_HOST = r"api(?P<region>\.eu|\.us)?\.assemblyai\.com"
_ORIGIN = re.compile(rf"(?P<scheme>wss?://)?{_OLD_HOST}(?::\d+)?")
_ANY_ORIGIN = re.compile(r"(?P<scheme>wss?://)(?P<host>[^/?\0]+)")


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
        for root in text_roots(document):
            parts = pieces(document, root)
            written = next((p for p in parts if p.value is None and p.text and _PATH in p.text), None)
            if written is None:
                continue
            span = written.span or document.span(root)
            edits = self._edits(document, parts, target)
            message = "this is the address of the old streaming service"
            if edits is None:
                yield self.by_hand(span, message, f"Write {target.socket}/v3/ws; it is put together in an unusual way.")
            else:
                yield self.fixable(span, message, f"Connect to {target.socket}/v3/ws.", edits)
        yield from self._defaults(document, target)

    def _edits(self, code: PythonDocument, parts: list[Piece], target: Target) -> list[Edit] | None:
        edits: list[Edit] = []
        for index, piece in enumerate(parts):
            before = flat(parts[:index])
            if piece.value is not None:
                if _ORIGIN.search(piece.text or "") and _PATH not in before:
                    edits += _in_value(code, piece, target)
                continue
            if piece.span is None:
                return None
            edits += _in_literal(piece.text or "", piece.span.start, target)
            if index + 1 < len(parts) and piece.text and _ORIGIN.fullmatch(parts[index + 1].text or ""):
                edits += _scheme(piece.text, piece.span.start, target)
        return edits

    def _defaults(self, code: PythonDocument, target: Target) -> Iterator[Finding]:
        """`os.getenv("HOST", "api.assemblyai.com")`."""
        for call in code.nodes(cst.Call):
            if len(call.args) == 2 and is_call_of(code, call, "os.getenv", "os.environ.get"):
                default = call.args[1].value
                if isinstance(default, cst.SimpleString) and _ORIGIN.fullmatch(str(default.evaluated_value)):
                    [piece] = pieces(code, default)
                    edits = _in_literal(piece.text or "", piece.span.start, target) if piece.span else []
                    if edits:
                        advice = f"Connect to {target.socket}."
                        yield self.fixable(code.span(default), "this is the host of the old service", advice, edits)


def _in_literal(text: str, offset: int, target: Target) -> list[Edit]:
    """The host and the path, where they stand in a text that begins at `offset`."""
    edits = []
    path = text.find(_PATH)
    if path >= 0:
        edits.append(Edit(Span(offset + path, offset + path + len(_PATH)), "/v3/ws"))
    is_elsewhere = target.socket != HOSTED_ADDRESS
    origin = _ORIGIN.search(text) or (_ANY_ORIGIN.search(text) if is_elsewhere and path >= 0 else None)
    if origin is not None:
        edits.append(Edit(Span(offset + origin.start(), offset + origin.end()), _origin(origin, target)))
    return edits


def _scheme(text: str, offset: int, target: Target) -> list[Edit]:
    """`wss://` in front of a host that stands elsewhere."""
    found = re.search(r"wss?://$", text)
    scheme = target.socket.partition("://")[0] + "://"
    if found is None or found.group() == scheme:
        return []
    return [Edit(Span(offset + found.start(), offset + found.end()), scheme)]


def _origin(found: re.Match[str], target: Target) -> str:
    scheme, _, host = target.socket.partition("://")
    region = found.groupdict().get("region") or ""
    if region and target.socket == HOSTED_ADDRESS:
        host = f"streaming{region}.assemblyai.com"
    return f"{scheme}://{host}" if found["scheme"] else host


def _in_value(code: PythonDocument, piece: Piece, target: Target) -> list[Edit]:
    """The host in a constant: where it is written if only such addresses use it, else in its place here."""
    node = piece.value
    assert node is not None
    held = value_of(code, node)
    if isinstance(held, cst.SimpleString) and _only_in_addresses(code, held):
        [written] = pieces(code, held)
        if written.span is not None:
            return _in_literal(written.text or "", written.span.start, target)
    if held is None or not isinstance(held, cst.SimpleString):
        return []
    text = _ORIGIN.sub(lambda found: _origin(found, target), piece.text or "")
    parent = code.parent(node)
    if isinstance(parent, cst.FormattedStringExpression):
        return [code.replace(parent, text)]
    return [code.replace(node, literal(text), with_parentheses=True)]


def _only_in_addresses(code: PythonDocument, held: cst.SimpleString) -> bool:
    """Whether a constant is used only in addresses of the old streaming service."""
    parent = code.parent(held)
    if not isinstance(parent, cst.Assign) or len(parent.targets) != 1:
        return False
    roots = [(code.span(root), flat(pieces(code, root))) for root in text_roots(code)]
    for use in uses(code, parent.targets[0].target):
        span = code.span(use)
        around = [text for outer, text in roots if outer.start <= span.start and span.end <= outer.end]
        if not any("/v2/realtime/" in text for text in around):
            return False
    return True
