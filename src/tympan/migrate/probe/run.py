"""Which checks run, in which order, and what is left out when something before them fails. Shell."""

from __future__ import annotations

import time
from collections.abc import Callable

from tympan.migrate.probe import latency, scenes, v2_judging, v2_scenes
from tympan.migrate.probe.address import Protocol
from tympan.migrate.probe.findings import Finding, Report, Verdict, left_out
from tympan.migrate.probe.reach import check_health, check_reachable, check_tls
from tympan.migrate.probe.record import SessionRecord
from tympan.migrate.probe.scenes import Visitor
from tympan.migrate.probe.speech import Speech
from tympan.migrate.probe.v3_control import (
    judge_credential,
    judge_force,
    judge_oversized,
    judge_refused,
    judge_update,
)
from tympan.migrate.probe.v3_session import judge_begin, judge_close, judge_messages, judge_termination
from tympan.migrate.probe.v3_turns import (
    judge_formatted,
    judge_plain,
    judge_times,
    judge_transcription,
    judge_turns,
)

Tell = Callable[[Finding], None]
"""Called with each finding as it is made."""

Note = Callable[[Finding], Finding]

_NO_SPEECH = "no recording at hand"
_NO_SPEECH_ADVICE = 'name one with --audio and what it says with --text, or pip install "tympan[server]"'
_QUICK = "left out by --quick"
_SPEECH_CHECKS = {
    Protocol.V3: ("transcription", "turns", "times", "formatted", "plain", "force-endpoint", "update", "bad-update"),
    Protocol.V2: ("transcription", "times", "formatted", "force-endpoint"),
}


async def probe(visitor: Visitor, speech: Speech | None, tell: Tell, *, is_quick: bool = False) -> Report:
    """Check the service and report; nothing that it does raises."""
    report = Report(visitor.address.shown, visitor.address.protocol.value)

    def note(finding: Finding) -> Finding:
        report.findings.append(finding)
        tell(finding)
        return finding

    if note(await check_reachable(visitor.address, visitor.timeout_s)).verdict is Verdict.FAILED:
        report.is_reachable = False
        return report
    if note(await check_tls(visitor.address, visitor.tls, time.time(), visitor.timeout_s)).verdict is Verdict.FAILED:
        return report
    note(await check_health(visitor.address, visitor.tls, visitor.timeout_s))
    ask = {Protocol.V3: _probe_v3, Protocol.V2: _probe_v2}[visitor.address.protocol]
    has_begun = await ask(visitor, None if is_quick else speech, note, report)
    if has_begun and (is_quick or speech is None):
        checks = ", ".join(_SPEECH_CHECKS[visitor.address.protocol])
        note(
            left_out("speech", f"{checks}: {_QUICK if is_quick else _NO_SPEECH}", "" if is_quick else _NO_SPEECH_ADVICE)
        )
    return report


async def _probe_v3(visitor: Visitor, speech: Speech | None, note: Note, report: Report) -> bool:
    main = await scenes.main_session(visitor, speech)
    note(judge_begin(main, time.time()))
    if main.first("Begin") is None:
        return False
    note(judge_messages(main))
    if speech is not None:
        _judge_speech(main, speech, note)
    note(judge_termination(main))
    if main.first("Termination") is not None:
        note(judge_close(main))
    control = None
    if speech is not None:
        control = await scenes.control_session(visitor, speech)
        _judge_control(control, note)
    await _refusals(visitor, note)
    report.latencies = latency.table(main, control)
    return True


def _judge_speech(main: SessionRecord, speech: Speech, note: Note) -> None:
    note(judge_transcription(main, speech.text))
    note(judge_turns(main))
    note(judge_times(main))
    note(judge_formatted(main))


def _judge_control(control: SessionRecord, note: Note) -> None:
    updated_at_s = control.said_at_s("UpdateConfiguration")
    note(judge_plain(control, updated_at_s if updated_at_s is not None else float("inf")))
    note(judge_force(control))
    note(judge_update(control))
    note(judge_refused("bad-update", control, 3006))


async def _refusals(visitor: Visitor, note: Note) -> None:
    is_key_needed = visitor.has_credential
    note(judge_credential("no-key", await scenes.without_key(visitor), is_key_needed=is_key_needed))
    note(judge_credential("bad-key", await scenes.with_wrong_key(visitor), is_key_needed=is_key_needed))
    note(judge_refused("bad-parameter", await scenes.with_bad_parameter(visitor), 3006))
    note(judge_refused("bad-json", await scenes.with_text(visitor, "{not JSON"), 3006))
    note(judge_refused("unknown-type", await scenes.with_text(visitor, '{"type": "NoSuchMessage"}'), 3006))
    note(judge_oversized(*await scenes.with_oversized_chunk(visitor)))


async def _probe_v2(visitor: Visitor, speech: Speech | None, note: Note, report: Report) -> bool:
    main = await v2_scenes.main_session(visitor, speech)
    note(v2_judging.judge_begin(main))
    if main.first("SessionBegins") is None:
        return False
    note(v2_judging.judge_messages(main))
    if speech is not None:
        note(v2_judging.judge_transcription(main, speech.text))
        note(v2_judging.judge_times(main))
        note(v2_judging.judge_formatted(main))
    note(v2_judging.judge_termination(main))
    if main.first("SessionTerminated") is not None:
        note(judge_close(main))
    if speech is not None:
        note(v2_judging.judge_force(await v2_scenes.control_session(visitor, speech)))
    await _v2_refusals(visitor, note)
    report.latencies = v2_judging.latencies(main)
    return True


async def _v2_refusals(visitor: Visitor, note: Note) -> None:
    is_key_needed = visitor.has_credential
    for check, key in (("no-key", None), ("bad-key", scenes.WRONG_KEY)):
        record = await v2_scenes.with_credential(visitor, key)
        note(judge_credential(check, record, is_key_needed=is_key_needed, code=4001))
    note(judge_refused("bad-parameter", await v2_scenes.with_bad_parameter(visitor), 4000))
    note(judge_refused("bad-json", await v2_scenes.with_text(visitor, "{not JSON"), 4100))
