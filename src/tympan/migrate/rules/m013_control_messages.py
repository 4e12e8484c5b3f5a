"""TM013: the messages with which a program controls its session."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.evidence import speaks_v2
from tympan.migrate.matching.messages import Style, accesses
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_TYPES = {"terminate_session": "Terminate", "force_end_utterance": "ForceEndpoint"}
_THRESHOLD = "end_utterance_silence_threshold"
_OLD = frozenset({*_TYPES, _THRESHOLD})
_IN_TEXT = re.compile(rf'(?P<q>\\?["\'])(?P<key>{"|".join(sorted(_OLD))})(?P=q)\s*:\s*(?P<true>true\b)?')
_ADVICE = {
    "terminate_session": 'Send {"type": "Terminate"}.',
    "force_end_utterance": 'Send {"type": "ForceEndpoint"}.',
    _THRESHOLD: (
        "Send UpdateConfiguration with max_turn_silence, and an end_of_turn_confidence_threshold of 1: then silence "
        "alone ends a turn, as on v2."
    ),
}


class ControlMessages(Rule[PythonDocument]):
    code = "TM013"
    title = "Terminate, ForceEndpoint and UpdateConfiguration are messages with a `type`"
    what = (
        "`terminate_session`, `force_end_utterance` and `end_utterance_silence_threshold`, in a dict or in JSON that "
        "is written as a text. The fix sends `Terminate`, `ForceEndpoint` and `UpdateConfiguration`; the silence "
        "becomes `max_turn_silence`, with an `end_of_turn_confidence_threshold` of 1, so that silence alone ends a "
        "turn, as on v2."
    )
    why = "A message without a type ends the session with code 3006."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (Valid('ws.send(json.dumps({"type": "Terminate"}))\n'), Valid("# no more terminate_session\nx = 1\n"))
    invalid = (
        Invalid(
            'ws.send(json.dumps({"terminate_session": True}))\n',
            'ws.send(json.dumps({"type": "Terminate"}))\n',
        ),
        Invalid(
            "ws.send('{\"force_end_utterance\": true}')\n",
            'ws.send(\'{"type": "ForceEndpoint"}\')\n',
        ),
        Invalid(
            "ws.send(json.dumps({'end_utterance_silence_threshold': silence_ms}))\n"
            "ws.send(f'{{\"end_utterance_silence_threshold\": {silence_ms}}}')\n",
            "ws.send(json.dumps({'type': 'UpdateConfiguration', 'end_of_turn_confidence_threshold': 1, "
            "'max_turn_silence': silence_ms}))\n"
            'ws.send(f\'{{"type": "UpdateConfiguration", "end_of_turn_confidence_threshold": 1, '
            '"max_turn_silence": {silence_ms}}}\')\n',
        ),
        Invalid("ws.send_json(dict(terminate_session=True))\n", 'ws.send_json(dict(type="Terminate"))\n'),
        Invalid(
            'message = {}\nmessage["terminate_session"] = True\n',
            'message = {}\nmessage["type"] = "Terminate"\n',
        ),
        Invalid('if "terminate_session" in wish:\n    stop()\n', None, about="what somebody sends to this program"),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        if not speaks_v2(document):
            return
        yield from self._in_dicts(document)
        yield from self._in_texts(document)
        for access in accesses(document):
            if access.key not in _OLD:
                continue
            assign = document.parent(document.parent(access.node))
            if isinstance(document.parent(access.node), cst.AssignTarget) and isinstance(assign, cst.Assign):
                yield self._entry(document, access.key, access.key_node, assign.value, is_stored=True)
            elif access.style is Style.CONTAINS or isinstance(access.node, cst.Subscript | cst.Call):
                advice = (
                    "It comes from a client of this program; pass on Terminate, ForceEndpoint or UpdateConfiguration."
                )
                yield self.by_hand(document.span(access.node), f"{access.key} is a key of the old protocol", advice)

    def _in_dicts(self, code: PythonDocument) -> Iterator[Finding]:
        for element in code.nodes(cst.DictElement):
            key = element.key.evaluated_value if isinstance(element.key, cst.SimpleString) else None
            if isinstance(key, str) and key in _OLD:
                yield self._entry(code, key, element.key, element.value)
        for arg in code.nodes(cst.Arg):
            if arg.keyword is not None and arg.keyword.value in _OLD and _is_dict(code, arg):
                yield self._entry(code, arg.keyword.value, arg.keyword, arg.value)

    def _entry(
        self,
        code: PythonDocument,
        key: str,
        key_node: cst.BaseExpression,
        value: cst.BaseExpression,
        *,
        is_stored: bool = False,
    ) -> Finding:
        span, message = code.span(key_node), f"{key} is a key of the old protocol"
        if not isinstance(key_node, cst.SimpleString | cst.Name):
            return self.by_hand(span, message, _ADVICE[key])
        q = key_node.quote[0] if isinstance(key_node, cst.SimpleString) else '"'
        is_keyword = isinstance(key_node, cst.Name)

        def written(name: str) -> str:
            return f"{name}=" if is_keyword else f"{q}{name}{q}: "

        if key in _TYPES:
            if code.source(value) not in ("True", "1"):
                return self.by_hand(span, message, f"{_ADVICE[key]} Only if its value is true.")
            if is_stored:
                edits = [code.replace(key_node, f"{q}type{q}"), code.replace(value, f"{q}{_TYPES[key]}{q}")]
            else:
                edits = [Edit(Span(span.start, code.outer_span(value).end), f"{written('type')}{q}{_TYPES[key]}{q}")]
            return self.fixable(span, message, _ADVICE[key], edits)
        if is_stored:
            return self.by_hand(span, message, _ADVICE[key])
        head = f"{written('type')}{q}UpdateConfiguration{q}, {written('end_of_turn_confidence_threshold')}1, "
        edit = Edit(Span(span.start, code.outer_span(value).start), head + written("max_turn_silence"))
        return self.fixable(span, message, _ADVICE[key], [edit])

    def _in_texts(self, code: PythonDocument) -> Iterator[Finding]:
        """JSON that is written out."""
        for node in code.nodes(cst.SimpleString, cst.FormattedStringText):
            if isinstance(code.parent(node), cst.Expr):
                continue
            start = code.span(node).start
            for found in _IN_TEXT.finditer(code.source(node)):
                q, key = found["q"], found["key"]
                span = Span(start + found.start(), start + found.end())
                message = f"{key} is a key of the old protocol"
                if key == _THRESHOLD:
                    text = f"{q}type{q}: {q}UpdateConfiguration{q}, {q}end_of_turn_confidence_threshold{q}: 1, "
                    yield self.fixable(span, message, _ADVICE[key], [Edit(span, f"{text}{q}max_turn_silence{q}: ")])
                elif found["true"]:
                    edit = Edit(span, f"{q}type{q}: {q}{_TYPES[key]}{q}")
                    yield self.fixable(span, message, _ADVICE[key], [edit])
                else:
                    yield self.by_hand(span, message, f"{_ADVICE[key]} Only if its value is true.")


def _is_dict(code: PythonDocument, arg: cst.Arg) -> bool:
    call = code.parent(arg)
    return isinstance(call, cst.Call) and isinstance(call.func, cst.Name) and call.func.value == "dict"
