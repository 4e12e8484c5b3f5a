"""TM002: the parameters of a connection."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.dicts import Entry, add_entry, entries, remove_entry, rename_key, written_dict
from tympan.migrate.matching.evidence import speaks_v2
from tympan.migrate.matching.imports import imported
from tympan.migrate.matching.names import argument
from tympan.migrate.matching.queries import Parameter, Query, is_template, query_of, span_to_end
from tympan.migrate.matching.sockets import Library, openings
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.matching.strings import Piece, flat, pieces, quote_of, text_roots
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_RENAMED = {"word_boost": "keyterms_prompt"}
_INVERTED = {"disable_partial_transcripts": "include_partial_turns"}
_REMOVED = frozenset({"enable_extra_session_information", "boost_param"})
_OLD = frozenset({*_RENAMED, *_INVERTED, *_REMOVED})
_PATHS = ("/v2/realtime/ws", "/v3/ws")

_MESSAGE = "these are parameters of the old service"
_ADVICE = (
    "Ask for format_turns, so that finals are punctuated as they were; word_boost is keyterms_prompt, "
    "disable_partial_transcripts is the opposite of include_partial_turns, enable_extra_session_information has no "
    "counterpart (Termination always tells durations)."
)


class Parameters(Rule[PythonDocument]):
    code = "TM002"
    title = "Parameters go into an `urlencode`d query, with `format_turns`"
    what = (
        "The query of the streaming address, written into the address, given to `urlencode`, or as `params=` of "
        "aiohttp. The fix makes it an `urlencode`d dict (or changes the dict): `format_turns` is added, "
        "`word_boost` becomes `keyterms_prompt` (at most 100 terms of at most 50 characters are heard), "
        "`disable_partial_transcripts` becomes `include_partial_turns` with the opposite value, "
        "`enable_extra_session_information` goes. `sample_rate`, `encoding` and `token` stay."
    )
    why = (
        "Without `format_turns` finals have no punctuation and case, as they had on v2; parameters that v3 doesn't "
        "know are ignored without a word."
    )
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (
        Valid('URL = "wss://streaming.assemblyai.com/v3/ws?sample_rate=16000"\n', "v3 without formatting is a choice"),
        Valid('URL = f"wss://streaming.assemblyai.com/v3/ws?{urlencode({"sample_rate": 16000})}"\n'),
    )
    invalid = (
        Invalid(
            "import json\nimport websocket\n\n"
            "ws = websocket.WebSocketApp(\n"
            "    f'wss://api.assemblyai.com/v2/realtime/ws?sample_rate={SAMPLE_RATE}',\n"
            "    on_message=on_message,\n)\n",
            "import json\nimport websocket\nfrom urllib.parse import urlencode\n\n"
            "ws = websocket.WebSocketApp(\n"
            "    'wss://api.assemblyai.com/v2/realtime/ws?' + "
            'urlencode({"sample_rate": SAMPLE_RATE, "format_turns": True}),\n'
            "    on_message=on_message,\n)\n",
        ),
        Invalid(
            "from urllib.parse import quote\n"
            "BASE = 'wss://api.assemblyai.com/v2/realtime/ws'\n"
            'URL = BASE + "?sample_rate=8000&encoding=pcm_mulaw&disable_partial_transcripts=true&word_boost=" '
            "+ quote(json.dumps(NAMES))\n",
            "from urllib.parse import quote, urlencode\n"
            "BASE = 'wss://api.assemblyai.com/v2/realtime/ws'\n"
            'URL = BASE + "?" + urlencode({"sample_rate": 8000, "encoding": "pcm_mulaw", '
            '"include_partial_turns": False, "keyterms_prompt": json.dumps(NAMES), "format_turns": True})\n',
            about="parameters that changed",
        ),
        Invalid(
            "from urllib.parse import urlencode\n"
            "params = {\n"
            '    "sample_rate": 16000,\n'
            '    "word_boost": json.dumps(NAMES),  # rare names\n'
            '    "enable_extra_session_information": True,\n'
            "}\n"
            'URL = f"wss://api.assemblyai.com/v2/realtime/ws?{urlencode(params)}"\n',
            "from urllib.parse import urlencode\n"
            "params = {\n"
            '    "sample_rate": 16000,\n'
            '    "keyterms_prompt": json.dumps(NAMES),  # rare names\n'
            '    "format_turns": True,\n'
            "}\n"
            'URL = f"wss://api.assemblyai.com/v2/realtime/ws?{urlencode(params)}"\n',
            about="a dict that is encoded already",
        ),
        Invalid(
            "async with session.ws_connect('wss://api.assemblyai.com/v2/realtime/ws', params={'sample_rate': 16000}):\n"
            "    pass\n",
            "async with session.ws_connect('wss://api.assemblyai.com/v2/realtime/ws', "
            "params={'sample_rate': 16000, 'format_turns': 'true'}):\n"
            "    pass\n",
            about="aiohttp takes no booleans in `params`",
        ),
        Invalid(
            'URL = "{}/v2/realtime/ws?sample_rate={}".format(settings.host, rate)\n',
            "from urllib.parse import urlencode\n"
            'URL = f"{settings.host}/v2/realtime/ws?" + urlencode({"sample_rate": rate, "format_turns": True})\n',
            about="formatted",
        ),
        Invalid(
            'URL = "wss://api.assemblyai.com/v2/realtime/ws?sample_rate=%d"\nconnect(URL % rate)\n',
            'URL = "wss://api.assemblyai.com/v2/realtime/ws?sample_rate=%d&format_turns=true"\nconnect(URL % rate)\n',
            about="filled in elsewhere",
        ),
        Invalid(
            'URL = "wss://api.assemblyai.com/v2/realtime/ws?" + parameters_from_settings()\n',
            None,
            about="the query is made elsewhere",
        ),
        Invalid(
            "import websockets\nURL = 'wss://api.assemblyai.com/v2/realtime/ws'\n"
            "connection = websockets.connect(with_query(URL))\n",
            None,
            about="the query isn't seen at all",
        ),
        Invalid(
            "import websockets\nCFG = {'host': 'api.assemblyai.com', 'path': '/v2/realtime/ws', 'rate': 16000}\n"
            "connection = websockets.connect('wss://{host}{path}?sample_rate={rate}'.format(**CFG))\n",
            None,
            about="the address is put together from a dict",
        ),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        if not speaks_v2(document):
            return
        found = [*self._in_addresses(document), *self._in_calls(document)]
        yield from found
        if not found and "format_turns" not in document.text:
            for opening in openings(document):
                span, advice = document.span(opening.call.func), f"Its query isn't seen. {_ADVICE}"
                yield self.by_hand(span, "formatted finals aren't asked for", advice)

    def _in_addresses(self, document: PythonDocument) -> Iterator[Finding]:
        for root in text_roots(document):
            parts = pieces(document, root)
            if any(path in flat(parts) for path in _PATHS) and any(p.text and "?" in p.text for p in parts):
                query = query_of(document, parts)
                if query is None and is_template(parts):
                    yield from self._in_template(document, parts[-1])
                else:
                    yield from self._in_address(document, root, query)

    def _in_calls(self, document: PythonDocument) -> Iterator[Finding]:
        for opening in openings(document):
            given = argument(opening.call, "params") if opening.library is Library.AIOHTTP else None
            if given is not None:
                yield from self._in_dict(document, given, "'true'")

    def _in_address(self, code: PythonDocument, root: cst.BaseExpression, query: Query | None) -> Iterator[Finding]:
        if query is None:
            advice = "Its query is put together where it can't be followed. " + _ADVICE
            yield self.by_hand(code.span(root), _MESSAGE, advice)
        elif query.encoded is not None:
            yield from self._in_dict(code, query.encoded, "True")
        elif _is_old(query.parameters):
            edits = _encoded(code, root, query)
            if edits is None:
                yield self.by_hand(code.span(root), _MESSAGE, "The address is formatted as a whole. " + _ADVICE)
            else:
                yield self.fixable(span_to_end(code, query, root), _MESSAGE, _ADVICE, edits)

    def _in_template(self, code: PythonDocument, piece: Piece) -> Iterator[Finding]:
        """`"…?sample_rate=%d"` that is filled in elsewhere: the query stays a text."""
        span, text = piece.span, piece.text or ""
        assert span is not None
        if any(f"{key}=" in text for key in _OLD):
            yield self.by_hand(span, _MESSAGE, f"{_ADVICE} Its values are filled in elsewhere.")
        elif "format_turns=" not in text:
            edit = Edit(Span(span.end, span.end), "&format_turns=true")
            yield self.fixable(span, "format_turns is missing", "Ask for formatted finals.", [edit])

    def _in_dict(self, code: PythonDocument, given: cst.BaseExpression, true: str) -> Iterator[Finding]:
        written = written_dict(code, given)
        if written is None:
            yield self.by_hand(code.span(given), _MESSAGE, "The dict is made where it can't be followed. " + _ADVICE)
            return
        found = entries(code, written)
        edits = [edit for entry in found for edit in _changed(code, written, entry)]
        if all(entry.key != "format_turns" for entry in found):
            edits += add_entry(code, written, "format_turns", true if _quotes(found) == "'" else true.replace("'", '"'))
        if edits:
            yield self.fixable(code.span(written), _MESSAGE, _ADVICE, edits)


def _is_old(parameters: tuple[Parameter, ...]) -> bool:
    keys = {parameter.key for parameter in parameters}
    return bool(keys & _OLD) or (bool(keys) and "format_turns" not in keys)


def _encoded(code: PythonDocument, root: cst.BaseExpression, query: Query) -> list[Edit] | None:
    """The query as a call of urlencode behind the question mark."""
    owner = query.mark.owner
    if owner is None or isinstance(root, cst.Call) or isinstance(getattr(root, "operator", None), cst.Modulo):
        return _reformatted(code, root, query)
    name, edits = imported(code, "urllib.parse", "urlencode")
    edits.append(Edit(span_to_end(code, query, root), f"{quote_of(owner)} + {name}({_dict_source(query)})"))
    if isinstance(owner, cst.FormattedString) and not _has_values_before(code, owner, query):
        start = code.span(owner).start
        prefix = owner.start[: -len(owner.end)]
        edits.append(Edit(Span(start, start + len(prefix)), prefix.replace("f", "").replace("F", "")))
    return edits + _parenthesized(code, root)


def _reformatted(code: PythonDocument, root: cst.BaseExpression, query: Query) -> list[Edit] | None:
    """`"…{}…?…{}".format(x, y)` and `"…%s…?…%d" % (x, y)`: an f-string up to the question mark."""
    quote = quote_of(query.mark.owner) if query.mark.owner is not None else '"'
    before = ""
    for piece in pieces(code, root):
        if piece.value is None and piece.text is None:
            return None
        if piece.span is not None and piece.span == query.mark.span:
            before += (piece.text or "").partition("?")[0] + "?"
            break
        before += f"{{{code.source(piece.value)}}}" if piece.value is not None else piece.text or ""
    is_filled = "{" in before
    if len(quote) > 1 or "\\" in before or (is_filled and quote in before):
        return None
    name, edits = imported(code, "urllib.parse", "urlencode")
    source = f"{'f' if is_filled else ''}{quote}{before}{quote} + {name}({_dict_source(query)})"
    edits.append(code.replace(root, source))
    return edits + _parenthesized(code, root)


def _parenthesized(code: PythonDocument, root: cst.BaseExpression) -> list[Edit]:
    parent = code.parent(root)
    kinds = (cst.Attribute, cst.Subscript, cst.BinaryOperation, cst.UnaryOperation)
    if not isinstance(parent, kinds) or code.span(root) != code.outer_span(root):
        return []
    span = code.span(root)
    return [Edit(Span(span.start, span.start), "("), Edit(Span(span.end, span.end), ")")]


def _has_values_before(code: PythonDocument, owner: cst.FormattedString, query: Query) -> bool:
    values = [part for part in owner.parts if isinstance(part, cst.FormattedStringExpression)]
    return any(code.span(part).start < query.start for part in values)


def _dict_source(query: Query) -> str:
    found = [_moved(parameter) for parameter in query.parameters if parameter.key not in _REMOVED]
    if all(parameter.key != "format_turns" for parameter in query.parameters):
        found.append(Parameter("format_turns", "True"))
    return "{" + ", ".join(f'"{parameter.key}": {parameter.source}' for parameter in found) + "}"


def _moved(parameter: Parameter) -> Parameter:
    if parameter.key in _INVERTED:
        return Parameter(_INVERTED[parameter.key], _opposite(parameter.source))
    return Parameter(_RENAMED.get(parameter.key, parameter.key), parameter.source)


def _opposite(source: str) -> str:
    """The other truth value; a text such as a lower-cased bool is asked what it says."""
    known = {"True": "False", "False": "True", '"true"': '"false"', '"false"': '"true"', "'true'": "'false'"}
    if source in known:
        return known[source]
    return f'str({source}).lower() not in ("true", "1")'


def _changed(code: PythonDocument, written: cst.Dict | cst.Call, entry: Entry) -> list[Edit]:
    if entry.key in _REMOVED:
        return [remove_entry(code, written, entry)]
    renamed = {**_RENAMED, **_INVERTED}.get(entry.key)
    edit = rename_key(code, entry, renamed) if renamed else None
    if edit is None:
        return []
    inverted = [code.replace(entry.value, _opposite(code.source(entry.value)))] if entry.key in _INVERTED else []
    return [edit, *inverted]


def _quotes(found: list[Entry]) -> str:
    key = found[0].key_node if found else None
    return key.quote[0] if isinstance(key, cst.SimpleString) else '"'
