"""TM042: the old SDK's events have other fields."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

import libcst as cst

from tympan.migrate.matching.names import variable_key
from tympan.migrate.matching.sdk import is_used, old_name
from tympan.migrate.matching.sdk_events import EventVariable, event_uses, event_variables
from tympan.migrate.matching.sdk_imports import import_edits
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.matching.strings import text_of
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_FIELDS = MappingProxyType(
    {
        "Turn": {
            "text": "{}.transcript",
            "audio_start": "{}.words[0].start",
            "audio_end": "{}.words[-1].end",
            "confidence": "(sum(word.confidence for word in {0}.words) / max(len({0}.words), 1))",
            "punctuated": "{}.turn_is_formatted",
            "text_formatted": "{}.turn_is_formatted",
        },
        "Begin": {"session_id": "{}.id"},
    }
)
"""Kind of event → old field → what it is now."""

_IS_FINAL = "{0}.end_of_turn and {0}.turn_is_formatted"
_FINAL = "RealtimeFinalTranscript"
_PARTIAL = "RealtimePartialTranscript"
_MESSAGE_TYPES = MappingProxyType({"FinalTranscript": _FINAL, "PartialTranscript": _PARTIAL})

_BEFORE = """\
import assemblyai as aai
from assemblyai.streaming.v3 import BeginEvent, TurnEvent

def on_open(client, session: BeginEvent):
    print(session.session_id)

def on_data(client, transcript: TurnEvent):
    if not transcript.text:
        return
    if isinstance(transcript, aai.RealtimeFinalTranscript):
        save(transcript)

def save(turn):
    print(f"{turn.text} ({turn.audio_end} ms)")
"""

_AFTER = """\
import assemblyai as aai
from assemblyai.streaming.v3 import BeginEvent, TurnEvent

def on_open(client, session: BeginEvent):
    print(session.id)

def on_data(client, transcript: TurnEvent):
    if not transcript.transcript:
        return
    if transcript.end_of_turn and transcript.turn_is_formatted:
        save(transcript)

def save(turn):
    print(f"{turn.transcript} ({turn.words[-1].end} ms)")
"""

_CREATED = """\
from assemblyai.streaming.v3 import TurnEvent

def on_data(client, transcript: TurnEvent):
    print(transcript.created)
"""

_VALID = """\
from assemblyai.streaming.v3 import TurnEvent
from other import Message

def on_turn(client, turn: TurnEvent, message: Message):
    print(turn.transcript, turn.words[0].text, turn.words[0].confidence, message.text)
"""


class SdkEvents(Rule[PythonDocument]):
    """Fields of the SDK's events."""

    code = "TM042"
    title = "The SDK's events have other fields"
    what = (
        "`text` becomes `transcript`, `session_id` becomes `id`, `audio_start` and `audio_end` become the times of "
        "the first and the last word, `confidence` the mean of the words'. `isinstance(…, RealtimeFinalTranscript)` "
        "becomes `end_of_turn and turn_is_formatted`: with `format_turns` each turn ends twice, first raw, then "
        "formatted, and the formatted one is what v2 sent. Events are followed into the functions of the file that get "
        "them. `created` has no counterpart."
    )
    why = "The fields don't exist any more; a final transcript is told by its flags, not by its class."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (Valid(_VALID),)
    invalid = (Invalid(_BEFORE, _AFTER), Invalid(_CREATED, None))

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        if not is_used(document):
            return
        for variable in event_variables(document):
            yield from self._fields(document, variable)
        for node in document.nodes(cst.Call, cst.Comparison):
            yield from self._type_test(document, node)

    def _fields(self, code: PythonDocument, variable: EventVariable) -> Iterator[Finding]:
        for node in event_uses(code, variable):
            attribute = code.parent(node)
            if not isinstance(attribute, cst.Attribute) or attribute.value is not node:
                continue
            name = attribute.attr.value
            new = _FIELDS.get(variable.kind, {}).get(name)
            message = f"a {variable.kind} event has no {name}"
            if new is not None:
                text = new.format(code.source(node))
                edits = [code.replace(attribute, text), *import_edits(code)]
                yield self.fixable(code.span(attribute), message, f"Read {text}.", edits)
            elif variable.kind == "Turn" and name == "created":
                yield self.by_hand(
                    code.span(attribute), message, "Take the time of arrival, datetime.now(): the service sends none."
                )

    def _type_test(self, code: PythonDocument, node: cst.CSTNode) -> Iterator[Finding]:
        """`isinstance(x, OLD)`, `type(x) is OLD`, `x.message_type == "FinalTranscript"`."""
        tested = _tested(code, node)
        if tested is None:
            return
        value, old, is_negated = tested
        message = f"{old} is no class any more; a final turn is told by its flags"
        if old not in (_FINAL, _PARTIAL):
            if isinstance(node, cst.Call):
                yield self.by_hand(
                    code.span(node),
                    message,
                    "Register a callback for each kind of event: each then gets one kind only.",
                )
            return
        test = _IS_FINAL.format(code.source(value))
        if is_negated != (old == _PARTIAL):
            test = f"not ({test})"
        elif _needs_parentheses(code, node):
            test = f"({test})"
        yield self.fixable(
            code.span(node), message, f"Ask for {test}.", [code.replace(node, test), *import_edits(code)]
        )


def _tested(code: PythonDocument, node: cst.CSTNode) -> tuple[cst.BaseExpression, str, bool] | None:
    """What is tested, for which old class, and whether for not being it."""
    match node:
        case cst.Call(func=cst.Name("isinstance"), args=[cst.Arg(value=value), cst.Arg(value=cst.Tuple() as kinds)]):
            names = [name for element in kinds.elements if (name := old_name(code, element.value)) is not None]
            return (value, " or ".join(names), False) if names else None
        case cst.Call(func=cst.Name("isinstance"), args=[cst.Arg(value=value), cst.Arg(value=kind)]):
            old = old_name(code, kind)
            return None if old is None else (value, old, False)
        case cst.Comparison(
            left=cst.Call(func=cst.Name("type"), args=[cst.Arg(value=value)]),
            comparisons=[cst.ComparisonTarget(operator=operator, comparator=kind)],
        ):
            old = old_name(code, kind)
            return None if old is None else (value, old, isinstance(operator, cst.IsNot | cst.NotEqual))
        case cst.Comparison(
            left=cst.Attribute(value=value, attr=cst.Name("message_type")),
            comparisons=[cst.ComparisonTarget(operator=cst.Equal() | cst.NotEqual() as operator, comparator=kind)],
        ) if _is_turn(code, value):
            old = _MESSAGE_TYPES.get(text_of(code, kind) or "")
            return None if old is None else (value, old, isinstance(operator, cst.NotEqual))
    return None


def _is_turn(code: PythonDocument, node: cst.BaseExpression) -> bool:
    return any(
        variable.kind == "Turn" and variable_key(code, variable.parameter.name) == variable_key(code, node)
        for variable in event_variables(code)
    )


def _needs_parentheses(code: PythonDocument, node: cst.CSTNode) -> bool:
    """Whether `a and b` would bind otherwise here than one expression did."""
    parent = code.parent(node)
    is_operand = isinstance(parent, cst.UnaryOperation | cst.BinaryOperation | cst.Comparison)
    return is_operand or (isinstance(parent, cst.BooleanOperation) and isinstance(parent.operator, cst.Or))
