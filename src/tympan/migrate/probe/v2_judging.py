"""What a session of the old v2 protocol told. PURE.

Requirements of the old official clients (protocol reference, sections 8 and 10).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime

from tympan.migrate.probe.findings import Finding, Latency, failed, left_out, passed
from tympan.migrate.probe.latency import latency
from tympan.migrate.probe.record import Document, Heard, SessionRecord, ending_of
from tympan.migrate.probe.shapes import V2_SHAPES, Problem, problems_of
from tympan.migrate.probe.v3_session import listed, opening_advice
from tympan.migrate.probe.v3_turns import judge_text, judge_word_times, words_of_turn

_PATIENCE_MS = 5000

_REFUSED_ADVICE = "check the key (4001) and the parameters (4000, 4104): the code says which it is"


def judge_begin(record: SessionRecord) -> Finding:
    """`begin`: SessionBegins, in shape."""
    if record.refusal is not None:
        return failed("begin", ending_of(record), opening_advice(record))
    begin = record.first("SessionBegins")
    if begin is None:
        if any(h.document is not None and h.document.get("type") == "Begin" for h in record.heard):
            advice = "this endpoint speaks v3: probe it with --protocol v3"
            return failed("begin", "the first message has 'type', not 'message_type'", advice)
        if record.error is not None:
            return failed("begin", f"refused: {ending_of(record)}", _REFUSED_ADVICE)
        return failed(
            "begin", f"no SessionBegins; {ending_of(record)}", "send SessionBegins at once: old SDKs wait for it"
        )
    heard, document = begin
    problems = [*problems_of("SessionBegins", document, V2_SHAPES["SessionBegins"]), *_begin_values(document)]
    if problems:
        return failed("begin", listed(problems), problems[0].advice)
    return passed("begin", f"SessionBegins {heard.at_s * 1000:.0f} ms after the start of connecting")


def _begin_values(document: Document) -> Iterator[Problem]:
    session_id, expires_at = document.get("session_id"), document.get("expires_at")
    if isinstance(session_id, str) and not _is_uuid4(session_id):
        yield Problem("session_id is no UUID of version 4", "the old official Python SDK accepts no other id")
    if isinstance(expires_at, str):
        try:
            datetime.fromisoformat(expires_at)
        except ValueError:
            yield Problem("expires_at is no ISO 8601 time", "send UTC like 2023-11-04T16:51:38.316048")


def _is_uuid4(text: str) -> bool:
    try:
        return uuid.UUID(text).version == 4
    except ValueError:
        return False


def judge_messages(record: SessionRecord) -> Finding:
    """`messages`: known types, the right fields, and no SessionInformation that nobody asked for."""
    problems: list[Problem] = []
    for heard in record.heard:
        kind = record.type_of(heard)
        if heard.document is None:
            problems.append(Problem("a message is no JSON object", "send JSON objects in text messages"))
        elif kind is None and "error" not in heard.document:
            problems.append(Problem("a message has no 'message_type'", "name the type of every message"))
        elif kind is not None and kind not in V2_SHAPES:
            problems.append(Problem(f"there is no message {kind!r} in v2", "send what the protocol reference names"))
        elif kind is not None:
            problems += problems_of(kind, heard.document, V2_SHAPES[kind])
    if record.first("SessionInformation") is not None:
        advice = "send it only with enable_extra_session_information: an old Python SDK hangs for ever otherwise"
        problems.insert(0, Problem("SessionInformation came unasked", advice))
    if problems:
        return failed("messages", listed(problems), problems[0].advice)
    return passed("messages", f"{len(record.heard)} messages, every field of the right type")


def finals_of(record: SessionRecord) -> list[tuple[Heard, Document]]:
    return [
        (heard, final) for heard, final in record.of_type("FinalTranscript") if isinstance(final.get("words"), list)
    ]


def judge_transcription(record: SessionRecord, reference: str | None) -> Finding:
    """`transcription`: what was said came back."""
    return judge_text(" ".join(str(final.get("text", "")) for _, final in finals_of(record)), reference)


def judge_times(record: SessionRecord) -> Finding:
    """`times`: word times are whole ms, in order, and inside the audio that had been sent."""
    told = [*record.of_type("PartialTranscript"), *finals_of(record)]
    return judge_word_times([(heard, message) for heard, message in told if isinstance(message.get("words"), list)])


def judge_formatted(record: SessionRecord) -> Finding:
    """`formatted`: every final has case and punctuation."""
    finals = finals_of(record)
    if not finals:
        return left_out("formatted", "no final came")
    if all(final.get("punctuated") is True and final.get("text_formatted") is True for _, final in finals):
        return passed("formatted", "each final is punctuated and formatted")
    advice = "v2 finals are formatted: set punctuated and text_formatted, or say so to users"
    return failed("formatted", "a final is not formatted", advice)


def judge_force(record: SessionRecord) -> Finding:
    """`force-endpoint`: force_end_utterance ends the utterance."""
    asked_at_s = record.said_at_s("force_end_utterance")
    if asked_at_s is None:
        return left_out("force-endpoint", f"no utterance was open to end: {ending_of(record)}")
    answers = [heard.at_s for heard, _ in finals_of(record) if heard.at_s >= asked_at_s]
    if not answers:
        advice = "end the open utterance at force_end_utterance"
        return failed("force-endpoint", f"no final after force_end_utterance; {ending_of(record)}", advice)
    return passed("force-endpoint", f"the final came after {(answers[0] - asked_at_s) * 1000:.0f} ms")


def judge_termination(record: SessionRecord) -> Finding:
    """`terminate`: SessionTerminated, soon, and last."""
    asked_at_s, ended = record.said_at_s("terminate_session"), record.first("SessionTerminated")
    if asked_at_s is None:
        advice = "see the server's log for the reason"
        return failed("terminate", f"the session ended before it was asked to: {ending_of(record)}", advice)
    if ended is None:
        advice = "always send SessionTerminated before the close: old SDKs wait for it, some for ever"
        return failed("terminate", f"no SessionTerminated; {ending_of(record)}", advice)
    if record.heard[-1] is not ended[0]:
        return failed("terminate", "messages follow SessionTerminated", "SessionTerminated must be the last message")
    delay_ms = (ended[0].at_s - asked_at_s) * 1000
    if delay_ms > _PATIENCE_MS:
        advice = "bound the work that is left at the end: clients leave after 5 s"
        return failed("terminate", f"SessionTerminated came {delay_ms:.0f} ms after terminate_session", advice)
    return passed("terminate", f"SessionTerminated {delay_ms:.0f} ms after terminate_session")


def latencies(main: SessionRecord) -> list[Latency]:
    """Delays of one session, against the ends of words on a microphone's clock."""
    shown: dict[tuple[int, int], float] = {}
    ended: list[float] = []
    order = 0
    asked_at_s = main.said_at_s("terminate_session")
    for heard, message in main.of_type("PartialTranscript", "FinalTranscript"):
        words = list(words_of_turn(message)) if isinstance(message.get("words"), list) else []
        delays = [main.audio_delay_ms(heard, word["end"]) for word in words]
        for place, delay_ms in enumerate(delays):
            if delay_ms is not None:
                shown.setdefault((order, place), delay_ms)
        if main.type_of(heard) == "FinalTranscript":
            order += 1
            was_ended_by_us = asked_at_s is not None and heard.at_s >= asked_at_s
            if delays and delays[-1] is not None and not was_ended_by_us:
                ended.append(delays[-1])
    begin, over = main.first("SessionBegins"), main.first("SessionTerminated")
    rows = [
        ("connect → SessionBegins", [begin[0].at_s * 1000] if begin else []),
        ("word first shown", list(shown.values())),
        ("final", ended),
        (
            "terminate → SessionTerminated",
            [(over[0].at_s - asked_at_s) * 1000] if over and asked_at_s is not None else [],
        ),
    ]
    return [latency(name, delays) for name, delays in rows if delays]
