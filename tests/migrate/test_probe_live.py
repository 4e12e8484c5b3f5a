"""`tympan probe` against servers that are right, and against servers that are wrong in one way each."""

from __future__ import annotations

import asyncio
import ssl
import wave
from dataclasses import dataclass
from pathlib import Path

import pytest
from hosted_replay import KEY, Behaviour, HostedReplay, altering, altering_words
from replayed_session import Message
from speech_track import SpeechTrack

from tympan.migrate.probe.address import Address
from tympan.migrate.probe.findings import Finding, Report, Verdict
from tympan.migrate.probe.reach import tls_context
from tympan.migrate.probe.run import probe
from tympan.migrate.probe.scenes import Visitor
from tympan.migrate.probe.speech import Speech, load_speech
from unhurried_loop import run_unhurried

TRACK = SpeechTrack.load("two_orders")


@dataclass(frozen=True)
class Probed:
    """What a probe found."""

    report: Report

    def finding(self, check: str) -> Finding:
        return next(finding for finding in self.report.findings if finding.check == check)

    def not_passed(self) -> dict[str, Verdict]:
        """Without what is noted for taking long, as it may on a busy machine."""
        slow = {("begin", Verdict.NOTED), ("force-endpoint", Verdict.NOTED)}
        findings = {f.check: f.verdict for f in self.report.findings if f.verdict is not Verdict.PASSED}
        return {check: verdict for check, verdict in findings.items() if (check, verdict) not in slow}


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The track as a wave file whose audio tells where it stands, and what it says."""
    folder = tmp_path_factory.mktemp("probe")
    with wave.open(str(folder / "speech.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(TRACK.audio())
    (folder / "speech.txt").write_text(TRACK.text)
    return folder / "speech.wav", folder / "speech.txt"


async def probe_service(
    service: HostedReplay, speech: Speech | None, tls: ssl.SSLContext, *, timeout_s: float = 2.0
) -> Probed:
    async with service:
        visitor = Visitor(Address.parse(service.url), KEY, tls, timeout_s)
        return Probed(await probe(visitor, speech, lambda finding: None))


def shifted(message: Message) -> Message:
    """Times that run ahead of the audio."""
    if message["type"] != "Turn":
        return message
    words = [{**word, "start": word["start"] + 5000, "end": word["end"] + 5000} for word in message["words"]]
    return {**message, "words": words}


def halved(message: Message) -> Message:
    """Finals lose every second word."""
    if message["type"] != "Turn" or not message["end_of_turn"]:
        return message
    return {**message, "transcript": " ".join(message["transcript"].split()[::2])}


def rewritten(message: Message) -> Message:
    """The first word of a partial changes with the number of words."""
    if message["type"] != "Turn" or message["end_of_turn"] or len(message["words"]) < 2:
        return message
    first, *rest = message["words"]
    return {**message, "words": [{**first, "text": f"w{len(rest)}"}, *rest]}


RIGHT = Behaviour()
ANYTHING = Behaviour(accepts_anything=True)

WRONG = [
    (altering("Begin", expires_at=...), "begin", "Begin.expires_at is missing → send it always"),
    (altering("Begin", expires_at=1.5), "begin", "expected an integer → send a JSON integer"),
    (altering("Begin", expires_at=1_795_367_722_000), "begin", "send Unix seconds, not milliseconds"),
    (altering("Begin", expires_at=1000), "begin", "compare both clocks"),
    (altering("Begin", id=None), "begin", "Begin.id is null → leave out"),
    (altering_words(start=1.5), "messages", "Turn.words[].start is 1.5, expected an integer → send a JSON integer"),
    (altering_words(word_is_final=...), "messages", "Turn.words[].word_is_final is missing"),
    (altering("Turn", language_code=None), "messages", "Turn.language_code is null"),
    (altering("Turn", error=None), "messages", "JavaScript SDK takes the message for an error"),
    (altering("Turn", type="Transcript"), "transcription", "no words came back"),
    (altering("Turn", turn_order=3), "turns", "turn_order 3 came where 0 was open"),
    (Behaviour(alter=rewritten), "turns", "a final word of turn 0 changed"),
    (altering_words(start=100.5), "times", "expected whole ms"),
    (Behaviour(alter=shifted), "times", "count time by samples received"),
    (Behaviour(alter=halved), "transcription", "word error rate 37.5%"),
    (altering("Turn", turn_is_formatted=False), "formatted", "no formatted final came"),
    (altering("Turn", turn_is_formatted=True), "plain", "finals of the turns are true"),
    (altering("Termination", audio_duration_seconds=99), "terminate", "it counts 99 s of audio"),
    (altering("Termination", audio_duration_seconds=2.0), "terminate", "is 2.0, expected an integer"),
    (
        Behaviour(alter=lambda message: None if message["type"] == "Termination" else message),
        "terminate",
        "no Termination; close code 1000",
    ),
    (Behaviour(obeys=lambda kind: kind != "Terminate"), "terminate", "no Termination; the connection stays open"),
    (Behaviour(close_code=1011), "close", "close code 1011"),
    (Behaviour(closes_after_termination=False), "close", "stays open after Termination"),
    (Behaviour(obeys=lambda kind: kind != "ForceEndpoint"), "force-endpoint", "no end of turn after ForceEndpoint"),
    (Behaviour(obeys=lambda kind: kind != "UpdateConfiguration"), "update", "had no effect on the next final"),
    (Behaviour(max_audio_ms=2000), "terminate", "the session ended before it was asked to: close code 3005"),
    (Behaviour(accepts_any_key=True), "bad-key", "a session began all the same → the service serves anybody"),
    (ANYTHING, "bad-parameter", "a session began"),
    (ANYTHING, "bad-json", "not refused: the connection stays open"),
    (ANYTHING, "unknown-type", "not refused"),
    (ANYTHING, "bad-update", "not refused"),
    (ANYTHING, "oversized-chunk", "a minute of audio in one message is taken"),
    (altering("Error", error_code=4000), "bad-key", "use 1008 in both places"),
    (
        Behaviour(alter=lambda message: None if message["type"] == "Error" else message),
        "bad-json",
        "without an Error message",
    ),
    (altering("Begin", type="Hello"), "begin", "the first message is 'Hello', expected Begin"),
    (altering("Begin", type=..., message_type="SessionBegins"), "begin", "probe it with --protocol v2"),
]
"""What a server does wrong, the check that must tell it, and what it must say."""


@pytest.fixture(scope="module")
def probed(recording: tuple[Path, Path]) -> dict[Behaviour, Probed]:
    """A probe of each, and of a service that does nothing wrong, all at once: they wait more than they work."""
    speech, tls = load_speech(*recording), tls_context(None)
    behaviours = list(dict.fromkeys([RIGHT, *(behaviour for behaviour, _, _ in WRONG)]))

    async def probe_all() -> list[Probed]:
        services = (HostedReplay(TRACK, behaviour=behaviour) for behaviour in behaviours)
        return await asyncio.gather(*(probe_service(service, speech, tls) for service in services))

    return dict(zip(behaviours, run_unhurried(probe_all()), strict=True))


@pytest.mark.parametrize("place", range(len(WRONG)), ids=[f"{check}: {told}" for _, check, told in WRONG])
def test_what_a_server_does_wrong_is_told_at_its_line(probed: dict[Behaviour, Probed], place: int) -> None:
    behaviour, check, told = WRONG[place]
    finding = probed[behaviour].finding(check)
    assert told in f"{finding.text} → {finding.advice}"
    assert finding.verdict in (Verdict.FAILED, Verdict.NOTED)
    assert finding.advice


def test_a_server_that_is_wrong_in_one_way_is_told_nothing_else(probed: dict[Behaviour, Probed]) -> None:
    for behaviour, check, _ in WRONG:
        if behaviour.accepts_any_key or check in ("close", "force-endpoint"):
            expected = {"tls", check, *{"bad-key": ["no-key"], "force-endpoint": ["plain", "update"]}.get(check, [])}
            assert set(probed[behaviour].not_passed()) <= expected


def test_the_replayed_hosted_service_passes_every_check(probed: dict[Behaviour, Probed]) -> None:
    assert probed[RIGHT].not_passed() == {"tls": Verdict.LEFT_OUT}
    assert probed[RIGHT].report.is_good
    assert [row.name for row in probed[RIGHT].report.latencies] == [
        "connect → Begin",
        "word first shown",
        "word final",
        "end of turn",
        "raw → formatted final",
        "ForceEndpoint → final",
        "Terminate → Termination",
    ]
