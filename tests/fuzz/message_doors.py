"""Doors for messages: of clients and servers, v3 and v2, as they are decoded, bridged, told and probed."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from door import Door, json_lines, text_of
from message_seeds import V2_CLIENT, V2_SERVER, V3_CLIENT, V3_SERVER

from tympan.cli.subtitles import SubtitleWriter
from tympan.cli.transcript import Transcript, TranscriptFormat, render
from tympan.cli.turns import TurnLedger
from tympan.client.errors import ClientError
from tympan.client.seam import Seam
from tympan.core.audio import AudioFormat
from tympan.core.config import SessionConfig
from tympan.core.effects import Mark
from tympan.core.errors import ProtocolError
from tympan.core.session import Session
from tympan.core.units import Monotonic
from tympan.formatting.pipeline import EnglishWording
from tympan.migrate.probe import latency, v2_judging, v3_control, v3_session, v3_turns
from tympan.migrate.probe import reach as probe_reach
from tympan.migrate.probe.record import Closing, Heard, SessionRecord
from tympan.script.director import is_terminate, message_type
from tympan.script.format import parse_programme
from tympan.script.recording import RECORDED, RecordedMessage, recorded_script
from tympan.testing.heard import HeardSession
from tympan.wire.bridge import BridgedSession
from tympan.wire.codec import parse_json
from tympan.wire.v2.client_messages import decode_client, encode_client
from tympan.wire.v2.messages import decode_server, encode_server
from tympan.wire.v3 import messages as v3
from tympan.wire.v3 import params as v3_params
from tympan.wire.v3.client import decode_message
from tympan.wire.v3.llm_gateway import Prompt, Question, prompt_objection
from tympan.wire.v3.messages import RESUMABLE_CLIENT_CODEC, SERVER_CODEC
from tympan.wire.v3.server import V3ServerProtocol


def v3_client_message(data: bytes, _: Path) -> None:
    text = text_of(data)
    HeardSession("", {}).heard_text(text)
    is_terminate(text)
    message = RESUMABLE_CLIENT_CODEC.decode(text)
    assert RESUMABLE_CLIENT_CODEC.decode(RESUMABLE_CLIENT_CODEC.encode(message)) == message
    _, options = v3_params.parse_query("", defaults=SessionConfig(), strict=False)
    request = V3ServerProtocol(SessionConfig(), options, EnglishWording()).receive_text(text)
    session = Session("a", SessionConfig(), Monotonic(0.0))
    session.begin(1)
    if not isinstance(request, v3.Acknowledge) and hasattr(request, "min_silence_ms"):
        assert [effect for effect in session.receive_update(request, Monotonic(0.0)) if isinstance(effect, Mark)]


def v2_client_message(data: bytes, _: Path) -> None:
    text = text_of(data)
    heard = HeardSession("", {})
    heard.heard_text(text)
    assert heard.messages
    for is_strict in (True, False):
        message = decode_client(text, is_strict=is_strict)
        assert decode_client(encode_client(message)) == message


def question(data: bytes, _: Path) -> None:
    """What a client wants a language model to be asked, and what the model answers."""
    document = json.loads(json.dumps(parse_json(data)))
    if isinstance(document, dict) and document and prompt_objection(document) is None:
        asked = Prompt(document).question(SERVER_CODEC.encode(v3.Turn(0, True, True, "hi", 1.0, ())))
        json.loads(asked.request)
    asked = Question(0, "hi", b"")
    json.loads(asked.response(data))


def v3_server_message(data: bytes, _: Path) -> None:
    text = text_of(data)
    message_type(text)
    message = decode_message(text)
    if isinstance(message, v3.UnknownServerMessage):
        return
    assert SERVER_CODEC.decode(SERVER_CODEC.encode(message)) == message
    if isinstance(message, RECORDED):
        script = recorded_script([RecordedMessage(5, message)], [text])
        assert len(parse_programme(script, "recorded").sessions) == 1


def spoken(data: bytes, _: Path) -> None:
    """What a client of ours tells of these messages: over a seam, as turns, in every format."""
    seam, ledger, writers = Seam(is_formatting=True), TurnLedger(), [SubtitleWriter("srt"), SubtitleWriter("vtt")]
    turns = []
    for number, line in enumerate(data.split(b"\n")):
        message = decode_message(text_of(line))
        if isinstance(
            message, v3.Turn | v3.SpeechStarted | v3.Heartbeat | v3.Silence | v3.ServerWarning | v3.Termination
        ):
            told = [*seam.receive(message), *seam.advance(number * 1000)]
            for turn in (item for item in told if isinstance(item, v3.Turn)):
                turns += ledger.receive_turn(turn)
        if number % 3 == 2:
            seam.cut(seam.replay_from_ms(0, is_abrupt=True), session_s=1)
    turns += ledger.close()
    for turn in turns:
        assert turn.text.isprintable() or not turn.text.isascii()
        _ = [writer.receive_turn(turn.words).encode() for writer in writers]
    for kind in TranscriptFormat:
        render([Transcript("a", tuple(turns), 0)], kind, is_list=False).encode()


def v2_server_message(data: bytes, _: Path) -> None:
    message = decode_server(text_of(data))
    assert decode_server(encode_server(message)) == message


def bridged_client(data: bytes, _: Path) -> None:
    bridged = _bridged()
    received = 0
    for line in data.split(b"\n"):
        received += sum(len(item) for item in bridged.receive_text(text_of(line)) if isinstance(item, bytes))
    assert received <= len(data)


def bridged_service(data: bytes, _: Path) -> None:
    bridged, now = _bridged(), 0.0
    told: list[str] = []
    for line in data.split(b"\n"):
        now += 0.7
        match decode_message(text_of(line)):
            case v3.Begin() as begin:
                told += bridged.begin(replace(begin, expires_at=min(begin.expires_at, 2**53)))
            case v3.Turn() as turn:
                told += bridged.receive_turn(turn, Monotonic(now))
        told += bridged.advance(Monotonic(now))
    told += [*bridged.flush(), *bridged.over()]
    assert all(text.isascii() for text in told)


def _bridged() -> BridgedSession:
    return BridgedSession(AudioFormat(), wants_information=True, own_id="a", unix_clock=lambda: 1.0)


def probed_v3(data: bytes, _: Path) -> None:
    """What the probe makes of these messages."""
    _ = probe_reach._brief(data)
    record = _record(data, "type")
    v3_session.judge_begin(record, 0.0)
    for judge in (
        v3_session.judge_messages,
        v3_session.judge_termination,
        v3_session.judge_close,
        v3_turns.judge_turns,
        v3_turns.judge_times,
        v3_turns.judge_formatted,
        v3_control.judge_force,
        v3_control.judge_update,
    ):
        _is_told(judge(record))
    _is_told(v3_turns.judge_transcription(record, "hi there"))
    _is_told(v3_turns.judge_plain(record, 9.0))
    _is_told(v3_control.judge_credential("bad-key", record, is_key_needed=True))
    _is_told(v3_control.judge_refused("bad-json", record, 3006))
    _is_told(v3_control.judge_oversized(record, record))
    _ = [asdict(row) for row in latency.table(record, record)]


def probed_v2(data: bytes, _: Path) -> None:
    record = _record(data, "message_type")
    for judge in (
        v2_judging.judge_begin,
        v2_judging.judge_messages,
        v2_judging.judge_times,
        v2_judging.judge_formatted,
        v2_judging.judge_force,
        v2_judging.judge_termination,
    ):
        _is_told(judge(record))
    _is_told(v2_judging.judge_transcription(record, "hi there"))
    _ = v2_judging.latencies(record)


def _record(data: bytes, tag: str) -> SessionRecord:
    record = SessionRecord(tag=tag, audio_started_at_s=0.0, sent_ms=9_000.0, opened_at_s=0.0)
    for number, line in enumerate(data.split(b"\n")):
        record.heard.append(Heard.of(text_of(line), at_s=float(number), sent_ms=number * 500.0))
    record.closing = Closing(20.0, 1000, "")
    return record


def _is_told(finding: Any) -> None:
    assert finding.text
    assert len(finding.text) < 2_000, finding.text[:300]


def script(data: bytes, _: Path) -> None:
    programme = parse_programme(text_of(data), "talk")
    for session in programme.sessions:
        times = [time for word in session.timeline.words for time in (word.start_ms, word.end_ms)]
        assert times == sorted(times)


DOORS = (
    Door(
        "v3 text message of a client",
        v3_client_message,
        (ProtocolError,),
        V3_CLIENT,
        ("tympan.wire.codec:Codec.decode", "tympan.wire.codec:parse_json", "tympan.script.director:_document"),
    ),
    Door(
        "v2 text message of a client",
        v2_client_message,
        (ProtocolError,),
        V2_CLIENT,
        (
            "tympan.wire.v2.client_messages:decode_client",
            "tympan.wire.v2.client_messages:_bytes",
            "tympan.testing.heard:_parsed",
        ),
    ),
    Door(
        "v3 text message of a server",
        v3_server_message,
        (ProtocolError,),
        V3_SERVER,
        ("tympan.wire.v3.client:decode_message", "tympan.script.recording:_table"),
    ),
    Door("v3 messages as a client tells them", spoken, (ProtocolError, ClientError), V3_SERVER, ()),
    Door(
        "v2 text message of a server",
        v2_server_message,
        (ProtocolError,),
        V2_SERVER,
        ("tympan.wire.v2.messages:decode_server",),
    ),
    Door("v2 client's messages at the bridge", bridged_client, (ProtocolError,), V2_CLIENT, ()),
    Door(
        "v3 service's messages at the bridge",
        bridged_service,
        (ProtocolError,),
        V3_SERVER,
        ("tympan.wire.v2.messages:moment",),
    ),
    Door(
        "messages of a v3 service at the probe",
        probed_v3,
        (),
        V3_SERVER,
        (
            "tympan.migrate.probe.record:Heard.of",
            "tympan.migrate.probe.reach:_brief",
        ),
    ),
    Door(
        "messages of a v2 service at the probe",
        probed_v2,
        (),
        V2_SERVER,
        ("tympan.migrate.probe.v2_judging:_begin_values",),
    ),
    Door(
        "question to a language model, and its answer",
        question,
        (ProtocolError,),
        json_lines(
            {"model": "m", "messages": [{"role": "user", "content": "{{turn}}"}], "max_tokens": 5},
            {"choices": [{"message": {"content": "hi"}}]},
        ),
        ("tympan.wire.v3.llm_gateway:Prompt.question", "tympan.wire.v3.llm_gateway:Question.response"),
    ),
)
