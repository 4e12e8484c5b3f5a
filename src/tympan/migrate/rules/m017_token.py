"""TM017: temporary tokens."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.addresses import Move, moved
from tympan.migrate.matching.dicts import Entry, entries, rename_key, written_dict
from tympan.migrate.matching.evidence import speaks_v2
from tympan.migrate.matching.imports import imported
from tympan.migrate.matching.names import argument, is_call_of, qualified, value_of
from tympan.migrate.matching.numbers import number_of
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.matching.strings import address_roots, flat, pieces, text_of
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_PATH = "/v2/realtime/token"
_HOSTED = "https://streaming.assemblyai.com"
_LONGEST_S = 600
_ADVICE = "GET /v3/token?expires_in_seconds=…, at most 600: the time in which a session may begin, not its length."


class TokenRequest(Rule[PythonDocument]):
    code = "TM017"
    title = "Temporary tokens come from `GET /v3/token`"
    what = (
        "`POST /v2/realtime/token` with `expires_in`, by requests, httpx, aiohttp or urllib. The fix asks with GET for "
        "`/v3/token`, with `expires_in_seconds` in the query, capped at 600. The answer has `token`, as before."
    )
    why = "The old address is gone; v3 refuses tokens that would be valid for more than 600 seconds."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (
        Valid('reply = requests.get("https://streaming.assemblyai.com/v3/token", params={"expires_in_seconds": 60})\n'),
    )
    invalid = (
        Invalid(
            'reply = requests.post(\n    "https://api.assemblyai.com/v2/realtime/token",\n'
            '    headers={"authorization": KEY},\n    json={"expires_in": 3600},\n)\n',
            'reply = requests.get(\n    "https://streaming.assemblyai.com/v3/token",\n'
            '    headers={"authorization": KEY},\n    params={"expires_in_seconds": 600},\n)\n',
        ),
        Invalid(
            'URL = "https://api.assemblyai.com/v2/realtime/token"\n'
            "async def token(session, seconds):\n"
            "    body = {'expires_in': seconds}\n"
            "    async with session.post(URL, json=body, headers=HEADERS) as reply:\n"
            "        return (await reply.json())['token']\n",
            'URL = "https://streaming.assemblyai.com/v3/token"\n'
            "async def token(session, seconds):\n"
            "    body = {'expires_in_seconds': min(seconds, 600)}\n"
            "    async with session.get(URL, params=body, headers=HEADERS) as reply:\n"
            "        return (await reply.json())['token']\n",
            about="address and body in variables",
        ),
        Invalid(
            "import json\nimport urllib.request\n"
            'request = urllib.request.Request("https://api.assemblyai.com/v2/realtime/token", '
            'data=json.dumps({"expires_in": 60}).encode(), headers=HEADERS, method="POST")\n',
            "import json\nimport urllib.request\nfrom urllib.parse import urlencode\n"
            'request = urllib.request.Request("https://streaming.assemblyai.com/v3/token" + "?" + '
            'urlencode({"expires_in_seconds": 60}), headers=HEADERS, method="GET")\n',
            about="urllib",
        ),
        Invalid(
            'ask(URL + "/v2/realtime/token", 60)\n',
            None,
            about="asked for elsewhere",
        ),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        if not speaks_v2(document):
            return
        roots = [root for root in address_roots(document) if _is_written(document, root)]
        asked: set[int] = set()
        for call in document.nodes(cst.Call):
            address = _address(document, call)
            root = _written(document, address, roots) if address is not None else None
            if root is not None and address is not None:
                asked.add(id(root))
                yield self._finding(document, call, address, root, target)
        for root in roots:
            if id(root) not in asked:
                yield self.by_hand(document.span(root), "this is the old address of temporary tokens", _ADVICE)

    def _finding(
        self,
        code: PythonDocument,
        call: cst.Call,
        address: cst.BaseExpression,
        root: cst.BaseExpression,
        target: Target,
    ) -> Finding:
        span, message = code.span(call.func), "temporary tokens are asked for at another address, with GET"
        edits = moved(code, pieces(code, root), Move(_PATH, "/v3/token", target.http, _HOSTED))
        is_urllib = is_call_of(code, call, "urllib.request.Request")
        changed = _request(code, call, address) if is_urllib else _called(code, call)
        if edits is None or changed is None:
            return self.by_hand(span, message, _ADVICE)
        return self.fixable(span, message, _ADVICE, [*edits, *changed])


def _is_written(code: PythonDocument, root: cst.BaseExpression) -> bool:
    return any(piece.value is None and _PATH in (piece.text or "") for piece in pieces(code, root))


def _address(code: PythonDocument, call: cst.Call) -> cst.BaseExpression | None:
    """The address that a request goes to."""
    if is_call_of(code, call, "urllib.request.Request"):
        return argument(call, "url", 0)
    name = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
    if name == "post":
        return argument(call, "url", 0)
    return argument(call, "url", 1) if name == "request" else None


def _written(
    code: PythonDocument, address: cst.BaseExpression, roots: list[cst.BaseExpression]
) -> cst.BaseExpression | None:
    """Where the path of an address is written: in the call, or in a constant."""
    for root in roots:
        if root is address or value_of(code, address) is root:
            return root
    if _PATH in flat(pieces(code, address)) and len(roots) == 1:
        return roots[0]
    return None


def _called(code: PythonDocument, call: cst.Call) -> list[Edit] | None:
    """`post` with a body becomes `get` with parameters."""
    assert isinstance(call.func, cst.Attribute)
    body = next((arg for arg in call.args if arg.keyword is not None and arg.keyword.value in ("json", "data")), None)
    changed = _seconds(code, body.value) if body is not None else None
    if body is None or body.keyword is None or changed is None:
        return None
    edits, source = changed
    if call.func.attr.value == "request":
        method = argument(call, "method", 0)
        if method is None or (text_of(code, method) or "").upper() != "POST":
            return None
        edits.append(code.replace(method, '"GET"'))
    else:
        edits.append(code.replace(call.func.attr, "get"))
    edits.append(code.replace(body.keyword, "params"))
    if source is not None:
        edits.append(code.replace(body.value, source))
    return edits


def _seconds(code: PythonDocument, body: cst.BaseExpression) -> tuple[list[Edit], str | None] | None:
    """Edits to the dict that is sent, and the source that stands for it where it isn't `body` itself."""
    inner = _unpacked(code, body)
    written = written_dict(code, inner)
    entry = next((e for e in entries(code, written) if e.key == "expires_in"), None) if written is not None else None
    edit = rename_key(code, entry, "expires_in_seconds") if entry is not None else None
    if edit is None or entry is None:
        return None
    if inner is body:
        return [edit, *_capped(code, entry)], None
    return [], _dict_source(code, inner, entry)


def _dict_source(code: PythonDocument, inner: cst.BaseExpression, entry: Entry) -> str:
    capped = _capped(code, entry)
    value = capped[0].replacement if capped else code.source(entry.value)
    return f'{{"expires_in_seconds": {value}}}'


def _unpacked(code: PythonDocument, node: cst.BaseExpression) -> cst.BaseExpression:
    """What `json.dumps(x).encode()` sends."""
    match node:
        case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name("encode"))):
            return _unpacked(code, inner)
        case cst.Call() if qualified(code, node.func) == "json.dumps" and node.args:
            return node.args[0].value
        case cst.Name():
            value = value_of(code, node)
            return _unpacked(code, value) if isinstance(value, cst.Call) else node
    return node


def _capped(code: PythonDocument, entry: Entry) -> list[Edit]:
    seconds = number_of(code, entry.value)
    if seconds is not None and seconds <= _LONGEST_S:
        return []
    if isinstance(entry.value, cst.Integer):
        return [code.replace(entry.value, str(_LONGEST_S))]
    return [code.replace(entry.value, f"min({code.source(entry.value)}, {_LONGEST_S})", with_parentheses=True)]


def _request(code: PythonDocument, call: cst.Call, address: cst.BaseExpression) -> list[Edit] | None:
    """`urllib.request.Request(address, data=…, method="POST")`."""
    position = next((i for i, arg in enumerate(call.args) if arg.value is argument(call, "data", 1)), None)
    if position is None:
        return None
    body = call.args[position]
    inner = _unpacked(code, body.value)
    written = written_dict(code, inner)
    entry = next((e for e in entries(code, written) if e.key == "expires_in"), None) if written is not None else None
    if entry is None or (
        body.keyword is None and len(call.args) > position + 1 and call.args[position + 1].keyword is None
    ):
        return None
    name, edits = imported(code, "urllib.parse", "urlencode")
    end = code.outer_span(address).end
    edits.append(Edit(Span(end, end), f' + "?" + {name}({_dict_source(code, inner, entry)})'))
    before = code.outer_span(call.args[position - 1].value).end
    edits.append(Edit(Span(before, code.outer_span(body.value).end), ""))
    method = argument(call, "method")
    if method is not None:
        edits.append(code.replace(method, '"GET"'))
    return edits
