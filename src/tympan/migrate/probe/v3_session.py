"""A v3 session's frame: Begin, the shape of every message, Termination and the close. PURE."""

from __future__ import annotations

from collections.abc import Iterator

from tympan.migrate.probe.findings import Finding, failed, noted, passed
from tympan.migrate.probe.record import Document, Heard, SessionRecord, Trouble, ending_of
from tympan.migrate.probe.shapes import V3_SHAPES, Problem, problems_of

_PROMPT_BEGIN_MS = 1000
"""The official JavaScript SDK waits so long from the start of connecting (protocol reference, section 0.1)."""

_PATIENCE_MS = 5000
"""Clients wait so long for Termination (protocol reference, section 6.5)."""

_LATEST_UNIX_S = 10_000_000_000
"""A larger expiry is in milliseconds."""

_KNOWN_BY_ALL = ("Begin", "Turn", "SpeechStarted", "Termination", "Error")

_OPENING_ADVICE = {
    Trouble.NO_HOST: "check the spelling of the host",
    Trouble.REFUSED: "check the port, and that the server runs and listens on this address",
    Trouble.TIMEOUT: "check the address, a firewall in between, and that the server isn't overloaded",
    Trouble.CERTIFICATE: "name your authority's certificate with --ca, or let the server show its whole chain",
    Trouble.TLS: "use ws:// for a server without TLS; else check the server's TLS configuration",
    Trouble.NOT_WEBSOCKET: "something else answers there; check host, port and path (v3: /v3/ws)",
    Trouble.NETWORK: "check the network between here and there, and whether a proxy is needed",
}

_STATUS_ADVICE = {
    401: "check the key; the hosted service refuses a key after the upgrade, with close code 1008",
    403: "check the key; the hosted service refuses a key after the upgrade, with close code 1008",
    404: "check the path: v3 is served at /v3/ws; an old service or a bridge speaks v2 alone: --protocol v2",
    410: "the retired v2 protocol was asked for: use /v3/ws, or tympan bridge for programs that can't change",
    503: "the server isn't ready: wait until it has loaded its model, then look at its log",
}


def opening_advice(record: SessionRecord) -> str:
    """What to do about a connection that was not opened."""
    assert record.refusal is not None
    if record.refusal.trouble is Trouble.HTTP_STATUS:
        status = record.refusal.http_status or 0
        return _STATUS_ADVICE.get(status, "see the log of the server, or of the proxy before it")
    return _OPENING_ADVICE[record.refusal.trouble]


def judge_begin(record: SessionRecord, unix_s: float) -> Finding:
    """`begin`: the first message, in time and in shape."""
    if record.refusal is not None:
        return failed("begin", ending_of(record), opening_advice(record))
    if not record.heard:
        advice = "the server must send Begin at once, without waiting for audio: load models before listening"
        return failed("begin", f"no Begin; {ending_of(record)}", advice)
    first = record.heard[0]
    if record.type_of(first) != "Begin" or first.document is None:
        return _no_begin(record, first)
    problems = [*problems_of("Begin", first.document, V3_SHAPES["Begin"]), *_expiry(first.document, unix_s)]
    if problems:
        return failed("begin", listed(problems), problems[0].advice)
    delay_ms = first.at_s * 1000
    if delay_ms > _PROMPT_BEGIN_MS:
        advice = "the official JavaScript SDK gives up 1000 ms after it starts connecting: make Begin sooner"
        return noted("begin", f"Begin after {delay_ms:.0f} ms", advice)
    return passed("begin", f"Begin {delay_ms:.0f} ms after the start of connecting")


def _no_begin(record: SessionRecord, first: Heard) -> Finding:
    kind = record.type_of(first)
    if kind == "Error":
        return failed("begin", f"refused: {ending_of(record)}", _refused_advice(record))
    if first.document is not None and "message_type" in first.document:
        advice = "this endpoint speaks the old v2 protocol: probe it with --protocol v2"
        return failed("begin", "the first message has 'message_type', not 'type'", advice)
    what = f"{kind!r}" if kind else "no JSON object with a 'type'"
    return failed("begin", f"the first message is {what}, expected Begin", "send Begin before anything else")


def _refused_advice(record: SessionRecord) -> str:
    code = None if record.closing is None else record.closing.code
    advice = {
        1008: "check the key: give it with --api-key",
        3006: "check the parameters in the address and those given with --param",
        3009: "the server is full: wait, or raise its limit of sessions",
    }
    return advice.get(code or 0, "see the server's log")


def _expiry(begin: Document, unix_s: float) -> Iterator[Problem]:
    expires_at = begin.get("expires_at")
    if type(expires_at) is not int:
        return
    if expires_at > _LATEST_UNIX_S:
        yield Problem(f"Begin.expires_at is {expires_at}, too large for seconds", "send Unix seconds, not milliseconds")
    elif expires_at < unix_s:
        advice = "send the Unix time at which the session will end; compare both clocks if the session lives"
        yield Problem(f"Begin.expires_at is {unix_s - expires_at:.0f} s ago", advice)


def judge_messages(record: SessionRecord) -> Finding:
    """`messages`: every message is JSON of a known type with the right fields."""
    problems: list[Problem] = []
    unknown = set()
    for heard in record.heard:
        kind = record.type_of(heard)
        if kind is None or heard.document is None:
            advice = "send JSON objects with a 'type' in text messages, and nothing else"
            problems.append(Problem("a message is no JSON object with a 'type'", advice))
        elif kind not in V3_SHAPES:
            unknown.add(kind)
        else:
            problems += problems_of(kind, heard.document, V3_SHAPES[kind])
    if problems:
        return failed("messages", listed(problems), problems[0].advice)
    unasked = sorted(unknown | {str(d["type"]) for _, d in record.of_type(*V3_SHAPES)} - set(_KNOWN_BY_ALL))
    if unasked:
        advice = "send optional messages only to sessions that ask for them: some clients report them as errors"
        return noted("messages", f"unasked: {', '.join(unasked)}", advice)
    return passed("messages", f"{len(record.heard)} messages, every field of the right type")


def listed(problems: list[Problem]) -> str:
    """The first few, each once."""
    texts = list(dict.fromkeys(problem.text for problem in problems))
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return "; ".join(texts[:3]) + more


def judge_termination(record: SessionRecord) -> Finding:
    """`terminate`: after Terminate come the last turn and Termination, soon, and with the right durations."""
    asked_at_s = record.said_at_s("Terminate")
    ended = record.first("Termination")
    if asked_at_s is None:
        return failed("terminate", f"the session ended before it was asked to: {ending_of(record)}", _LOG_ADVICE)
    if ended is None:
        advice = "answer Terminate with the last turn and Termination; clients wait 5 s for it, some for ever"
        return failed("terminate", f"no Termination; {ending_of(record)}", advice)
    heard, document = ended
    if problems := list(problems_of("Termination", document, V3_SHAPES["Termination"])):
        return failed("terminate", listed(problems), problems[0].advice)
    if record.heard[-1] is not heard:
        return failed("terminate", "messages follow Termination", "Termination must be the last message")
    sent_s, told_s = record.sent_ms / 1000, document["audio_duration_seconds"]
    if abs(told_s - sent_s) > 1:
        advice = "audio_duration_seconds must be the audio received: some was lost, or the sample rate is wrong"
        return failed("terminate", f"it counts {told_s} s of audio, {sent_s:.1f} s were sent", advice)
    delay_ms = (heard.at_s - asked_at_s) * 1000
    if delay_ms > _PATIENCE_MS:
        advice = "clients leave after 5 s and lose the last turn: bound the work that is left at the end"
        return failed("terminate", f"Termination came {delay_ms:.0f} ms after Terminate", advice)
    return passed("terminate", f"Termination {delay_ms:.0f} ms after Terminate, {told_s} s of audio counted")


_LOG_ADVICE = "see the server's log for the reason"


def judge_close(record: SessionRecord) -> Finding:
    """`close`: the server closes with 1000 after Termination."""
    if record.closing is None:
        advice = "close the WebSocket with 1000 after Termination: clients wait for it"
        return failed("close", "the connection stays open after Termination", advice)
    if record.closing.code != 1000:
        advice = "close with 1000 after Termination: other codes make clients report an error or reconnect"
        return failed("close", ending_of(record), advice)
    return passed("close", f"close code 1000 {record.closing.reason!r}" if record.closing.reason else "close code 1000")
