"""What control messages did, and how wrong ones are refused. PURE."""

from __future__ import annotations

from textwrap import shorten

from tympan.migrate.probe.findings import Finding, failed, left_out, noted, passed
from tympan.migrate.probe.record import SessionRecord, ending_of
from tympan.migrate.probe.v3_turns import finals_by_turn, is_u3

_SLOW_FORCE_MS = 2000
_TOLD_CHARS = 120


def judge_force(record: SessionRecord) -> Finding:
    """`force-endpoint`: the open turn ends at once."""
    asked_at_s = record.said_at_s("ForceEndpoint")
    if asked_at_s is None:
        return left_out("force-endpoint", f"no turn was open to end: {ending_of(record)}")
    answers = [group[0][0].at_s for group in finals_by_turn(record).values() if group[0][0].at_s >= asked_at_s]
    if not answers:
        advice = "end the open turn at ForceEndpoint: voice agents use it at every turn"
        return failed("force-endpoint", f"no end of turn after ForceEndpoint; {ending_of(record)}", advice)
    delay_ms = (answers[0] - asked_at_s) * 1000
    if delay_ms > _SLOW_FORCE_MS:
        return noted("force-endpoint", f"the final came after {delay_ms:.0f} ms", "the server may be overloaded")
    return passed("force-endpoint", f"the final came after {delay_ms:.0f} ms")


def judge_update(record: SessionRecord) -> Finding:
    """`update`: UpdateConfiguration is taken, and `format_turns` holds from then on."""
    asked_at_s = record.said_at_s("UpdateConfiguration")
    if asked_at_s is None:
        return left_out("update", f"the session ended before: {ending_of(record)}")
    forced_at_s = record.said_at_s("ForceEndpoint", nth=1)
    if forced_at_s is None:
        advice = "take UpdateConfiguration with any subset of its fields, at any time, without a reply"
        return failed("update", f"the session didn't go on: {ending_of(record)}", advice)
    finals = [turn for group in finals_by_turn(record).values() for heard, turn in group if heard.at_s >= forced_at_s]
    if is_u3(record):
        return passed("update", "taken without a reply; format_turns has no effect on this model")
    if any(turn.get("turn_is_formatted") for turn in finals):
        return passed("update", "format_turns switched on: the next final came formatted")
    advice = "changes should hold from the next end of turn on; check that the server reads UpdateConfiguration"
    return noted("update", "taken, but format_turns had no effect on the next final", advice)


_OPEN_ADVICE = "the service serves anybody who reaches it: set keys (tympan serve does so unless --no-auth is given)"


def judge_credential(check: str, record: SessionRecord, *, is_key_needed: bool, code: int = 1008) -> Finding:
    """`bad-key`, `no-key`: refused after the upgrade, with an error and this close code."""
    if _has_begun(record):
        if is_key_needed:
            return failed(check, "a session began all the same", _OPEN_ADVICE)
        return noted(check, "a session began: no key is needed here", _OPEN_ADVICE)
    if record.refusal is not None and record.refusal.http_status in (401, 403):
        advice = f"refuse after the upgrade, with an error and close code {code}: some SDKs retry an HTTP refusal"
        return noted(check, f"refused before the upgrade with HTTP {record.refusal.http_status}", advice)
    return _judge_refusal(check, record, code)


def judge_refused(check: str, record: SessionRecord, code: int) -> Finding:
    """A wrong parameter or message: Error with this code, and the same close code."""
    if check == "bad-parameter" and _has_begun(record):
        advice = (
            "refuse before Begin what can't be used: a client that believes in its parameter gets a wrong transcript"
        )
        return failed(check, f"a session began; {ending_of(record)}", advice)
    return _judge_refusal(check, record, code)


def _has_begun(record: SessionRecord) -> bool:
    return any(record.of_type("Begin", "SessionBegins"))


def _judge_refusal(check: str, record: SessionRecord, code: int) -> Finding:
    if record.closing is None and record.refusal is None:
        advice = f"refuse with Error {code} and close code {code}: the client waits for an answer"
        return failed(check, "not refused: the connection stays open", advice)
    told = record.error
    got = None if record.closing is None else record.closing.code
    if told is None:
        advice = f"send an Error message with error_code {code} before the close: it is all that users see"
        return failed(check, f"{ending_of(record)}, without an Error message", advice)
    if got != code:
        advice = f"close with {code}: SDKs decide by the close code what to tell and whether to try again"
        return failed(check, ending_of(record), advice)
    if record.tag == "type" and told.get("error_code") != code:  # v2 has no such field
        advice = f"use {code} in both places: SDKs read the one or the other"
        return failed(check, f"error_code {told.get('error_code')}, {ending_of(record)}", advice)
    return passed(check, f"{code} {shorten(str(told['error']), _TOLD_CHARS, placeholder='…')!r}")


def judge_oversized(moderate: SessionRecord, huge: SessionRecord | None) -> Finding:
    """`oversized-chunk`: 3007; the hosted service refuses more than 1 s, others may take more."""
    check = "oversized-chunk"
    if moderate.closing is not None or moderate.refusal is not None or huge is None:
        return _judge_refusal(check, moderate, 3007)
    if huge.closing is None:
        advice = "bound the audio of one message, and refuse more with 3007: memory is bounded by it"
        return noted(check, "a minute of audio in one message is taken", advice)
    finding = _judge_refusal(check, huge, 3007)
    if finding.advice:
        return finding
    return passed(check, f"{finding.text}; 1.2 s, which the hosted service refuses, is taken")
