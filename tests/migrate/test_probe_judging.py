"""The probe's rules: addresses, shapes, word errors, and records that hold anything at all."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core.errors import UsageError
from tympan.migrate.probe import latency, v2_judging
from tympan.migrate.probe.address import Address, Protocol
from tympan.migrate.probe.findings import Verdict
from tympan.migrate.probe.record import Closing, Heard, Refusal, Said, SessionRecord, Trouble
from tympan.migrate.probe.shapes import V2_SHAPES, V3_SHAPES, problems_of
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
from tympan.migrate.probe.word_errors import word_error_rate


@pytest.mark.parametrize(
    ("text", "shown", "protocol"),
    [
        ("localhost:8000", "ws://localhost:8000/v3/ws", Protocol.V3),
        ("https://asr.example", "wss://asr.example:443/v3/ws", Protocol.V3),
        ("wss://asr.example/speech/v3/ws?token=secret", "wss://asr.example:443/speech/v3/ws", Protocol.V3),
        ("ws://asr.example/v2/realtime/ws", "ws://asr.example:80/v2/realtime/ws", Protocol.V2),
        ("ws://[::1]:9", "ws://[::1]:9/v3/ws", Protocol.V3),
    ],
)
def test_an_address_names_host_path_and_protocol_and_hides_secrets(text: str, shown: str, protocol: Protocol) -> None:
    address = Address.parse(text)
    assert (address.shown, address.protocol) == (shown, protocol)


def test_the_protocol_that_is_asked_for_wins_over_the_path() -> None:
    assert Address.parse("localhost", Protocol.V2).shown == "ws://localhost:80/v2/realtime/ws"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ws://",
        "ftp://host",
        "host:port",
        "ws://host:99999",
        "host:0",
        "ws://..:9",
        "ws://a b",
        "ws://[::1",
        "a" * 70,
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no address of a server"):
        Address.parse(text)


def test_a_user_name_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError, match="--api-key") as refused:
        Address.parse("http://user:secret@localhost:9")
    assert "secret" not in str(refused.value)


def test_what_a_check_needs_wins_over_the_parameters_of_the_address() -> None:
    address = Address.parse("ws://h/v3/ws?sample_rate=44100&speech_model=m&encoding=opus")
    assert address.websocket({"sample_rate": "7000"}) == "ws://h:80/v3/ws?sample_rate=7000&speech_model=m"


def test_a_visit_with_another_key_does_not_carry_the_token_of_the_address() -> None:
    address = Address.parse("ws://h/v3/ws?token=t&speech_model=m")
    assert address.websocket({}) == "ws://h:80/v3/ws?token=t&speech_model=m"
    assert address.websocket({}, is_anonymous=True) == "ws://h:80/v3/ws?speech_model=m"
    assert address.has_credential
    assert not Address.parse("ws://h").has_credential


def test_word_errors_ignore_case_and_punctuation() -> None:
    assert word_error_rate("Hi, my name is Sonny.", "hi my name is sonny") == 0
    assert word_error_rate("one two three four", "one too three") == 0.5
    assert word_error_rate("it’s", "it's") == 0


@given(st.lists(st.sampled_from("abc"), min_size=1), st.lists(st.sampled_from("abc")))
def test_the_word_error_rate_is_an_edit_distance(reference: list[str], heard: list[str]) -> None:
    errors = word_error_rate(" ".join(reference), " ".join(heard)) * len(reference)
    assert abs(len(reference) - len(heard)) <= round(errors) <= max(len(reference), len(heard))
    assert (round(errors) == 0) == (reference == heard)


def test_percentiles_are_of_the_nearest_rank() -> None:
    assert latency.latency("x", [float(n) for n in range(1, 101)]) == latency.Latency("x", 100, 50, 95)
    assert latency.latency("x", [7.0]) == latency.Latency("x", 1, 7, 7)


def test_a_whole_number_with_a_fraction_part_is_no_integer() -> None:
    problems = list(problems_of("SpeechStarted", {"timestamp": 5.0, "confidence": 1}, V3_SHAPES["SpeechStarted"]))
    assert [problem.text for problem in problems] == ["SpeechStarted.timestamp is 5.0, expected an integer"]


def test_an_optional_field_may_be_absent_but_not_null() -> None:
    begin = {"id": "x", "expires_at": 1}
    assert not list(problems_of("Begin", begin, V3_SHAPES["Begin"]))
    assert list(problems_of("Begin", begin | {"configuration": None}, V3_SHAPES["Begin"]))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_SHAPES = {**V3_SHAPES, **V2_SHAPES}
_NAMES = st.sampled_from([field.name for shape in _SHAPES.values() for field in shape] + ["error"])
_WORDS = st.lists(
    st.dictionaries(st.sampled_from(["start", "end", "text", "confidence", "word_is_final"]), _JSON) | _JSON, max_size=3
)
_MESSAGES = st.builds(
    lambda tag, kind, fields, words: {tag: kind, **fields} | ({} if words is None else {"words": words}),
    st.sampled_from(["type", "message_type"]),
    st.sampled_from([*_SHAPES, "Other"]) | _JSON,
    st.dictionaries(_NAMES, _JSON | st.integers(0, 2) | st.booleans(), max_size=8),
    st.none() | _WORDS,
)


@st.composite
def records(draw: st.DrawFn) -> SessionRecord:
    """What any server may have said."""
    texts = draw(st.lists(_MESSAGES.map(json.dumps) | st.text(max_size=8), max_size=6))
    return SessionRecord(
        tag=draw(st.sampled_from(["type", "message_type"])),
        heard=[Heard.of(text, at_s=float(place), sent_ms=100.0 * place) for place, text in enumerate(texts)],
        said=[Said(at, what) for at, what in draw(st.lists(st.tuples(st.floats(0, 9), st.sampled_from(SAID))))],
        audio_started_at_s=draw(st.none() | st.just(0.5)),
        sent_ms=500.0,
        closing=draw(st.none() | st.builds(Closing, st.just(9.0), st.none() | st.integers(1000, 4999))),
        refusal=draw(st.none() | st.builds(Refusal, st.sampled_from(list(Trouble)), st.just("x"))),
    )


SAID = ["Terminate", "ForceEndpoint", "UpdateConfiguration", "text", "terminate_session", "force_end_utterance"]


@given(records(), records())
def test_whatever_a_server_says_is_judged_and_every_failure_has_advice(a: SessionRecord, b: SessionRecord) -> None:
    findings = [
        judge_begin(a, 0.0),
        judge_messages(a),
        judge_turns(a),
        judge_times(a),
        judge_transcription(a, "some words"),
        judge_formatted(a),
        judge_plain(a, 5.0),
        judge_force(a),
        judge_update(a),
        judge_termination(a),
        judge_close(a),
        judge_credential("bad-key", a, is_key_needed=True),
        judge_refused("bad-json", a, 3006),
        judge_oversized(a, b),
        v2_judging.judge_begin(a),
        v2_judging.judge_messages(a),
        v2_judging.judge_transcription(a, None),
        v2_judging.judge_times(a),
        v2_judging.judge_formatted(a),
        v2_judging.judge_force(a),
        v2_judging.judge_termination(a),
    ]
    for finding in findings:
        assert finding.text
        assert finding.advice or finding.verdict in (Verdict.PASSED, Verdict.LEFT_OUT)
    for row in [*latency.table(a, b), *v2_judging.latencies(a)]:
        assert row.count > 0
        assert not math.isnan(row.p95_ms)


def heard(*documents: dict[str, Any]) -> SessionRecord:
    return SessionRecord(
        heard=[Heard.of(json.dumps(document), at_s=1.0, sent_ms=1000.0) for document in documents],
    )


def turn(order: int, *, end: bool = False, words: tuple[str, ...] = ("hi",)) -> dict[str, Any]:
    return {
        "type": "Turn",
        "turn_order": order,
        "end_of_turn": end,
        "turn_is_formatted": False,
        "words": [{"text": text, "start": 0, "end": 10, "word_is_final": True} for text in words],
    }


@pytest.mark.parametrize(
    ("turns", "told"),
    [
        ([turn(0), turn(0, end=True), turn(2)], "turn_order 2 came where 0 was open"),
        ([turn(0), turn(1)], "turn_order 1 came where 0 was open"),
        ([turn(0, end=True), turn(0)], "turn 0 goes on after its end"),
        ([turn(0, end=True), turn(1, end=True), turn(0)], "turn_order 0 came where 1 was open"),
        ([turn(0, words=("hi", "you")), turn(0, words=("hi", "he"))], "a final word of turn 0 changed"),
        ([turn(0, words=("hi", "you")), turn(0, words=("hi",))], "a final word of turn 0 changed"),
        ([turn(0)], "no turn ended"),
    ],
)
def test_turns_that_are_out_of_order_are_told(turns: list[dict[str, Any]], told: str) -> None:
    finding = judge_turns(heard(*turns))
    assert (finding.verdict, finding.text) == (Verdict.FAILED, told)


BEGINS = {
    "message_type": "SessionBegins",
    "session_id": "9c1d1f3e-0d5a-4f3b-9a51-3f6b1d2c7e10",
    "expires_at": "2023-11-04T16:51:38.316048",
}
FINAL = {
    "message_type": "FinalTranscript",
    "audio_start": 0,
    "audio_end": 300,
    "confidence": 0.9,
    "text": "Hi.",
    "words": [{"start": 0, "end": 300, "confidence": 0.9, "text": "Hi."}],
    "created": "2023-11-04T16:51:38.316048",
    "punctuated": True,
    "text_formatted": True,
}
TERMINATED = {"message_type": "SessionTerminated"}


def v2_conversation(*documents: dict[str, Any]) -> SessionRecord:
    """Force and terminate are said at 1.5 s, when the first message has come."""
    return SessionRecord(
        tag="message_type",
        heard=[
            Heard.of(json.dumps(document), at_s=1.0 + place, sent_ms=1000.0) for place, document in enumerate(documents)
        ],
        said=[Said(1.5, "force_end_utterance"), Said(1.5, "terminate_session")],
        audio_started_at_s=1.0,
    )


V2_CHECKS = {
    "begin": v2_judging.judge_begin,
    "messages": v2_judging.judge_messages,
    "times": v2_judging.judge_times,
    "formatted": v2_judging.judge_formatted,
    "force-endpoint": v2_judging.judge_force,
    "terminate": v2_judging.judge_termination,
}


def test_a_right_v2_conversation_passes() -> None:
    record = v2_conversation(BEGINS, FINAL, TERMINATED)
    assert {name: judge(record).verdict for name, judge in V2_CHECKS.items()} == dict.fromkeys(V2_CHECKS, "passed")


@pytest.mark.parametrize(
    ("documents", "check", "told"),
    [
        ([], "begin", "no SessionBegins"),
        ([{"type": "Begin", "id": "x", "expires_at": 1}], "begin", "probe it with --protocol v3"),
        ([BEGINS | {"session_id": "1"}], "begin", "no UUID of version 4"),
        ([BEGINS | {"expires_at": 1}], "begin", "SessionBegins.expires_at is 1, expected a text"),
        ([BEGINS | {"expires_at": "soon"}], "begin", "expires_at is no ISO 8601 time"),
        ([{"error": "Not Authorized"}], "begin", "refused: the connection stays open, saying 'Not Authorized'"),
        ([BEGINS, FINAL | {"confidence": ...}], "messages", "FinalTranscript.confidence is missing"),
        ([BEGINS, FINAL | {"audio_end": 1.5}], "messages", "FinalTranscript.audio_end is 1.5, expected an integer"),
        ([BEGINS, {"message_type": "SessionInformation", "audio_duration_seconds": 1.0}], "messages", "unasked"),
        ([BEGINS, {"message_type": "Turn"}], "messages", "there is no message 'Turn' in v2"),
        ([BEGINS, {"text": "hi"}], "messages", "has no 'message_type'"),
        ([BEGINS, FINAL | {"words": [{"start": 0, "end": 2000, "text": "Hi."}]}], "times", "ends at 2000 ms when 1000"),
        ([BEGINS, FINAL | {"punctuated": False}], "formatted", "a final is not formatted"),
        ([BEGINS], "force-endpoint", "no final after force_end_utterance"),
        ([BEGINS], "terminate", "no SessionTerminated"),
        ([BEGINS, TERMINATED, FINAL], "terminate", "messages follow SessionTerminated"),
        ([BEGINS, *[FINAL] * 6, TERMINATED], "terminate", "came 6500 ms after terminate_session"),
    ],
)
def test_what_a_v2_service_does_wrong_is_told_at_its_line(
    documents: list[dict[str, Any]], check: str, told: str
) -> None:
    present = [{name: value for name, value in document.items() if value is not ...} for document in documents]
    finding = V2_CHECKS[check](v2_conversation(*present))
    assert finding.verdict is Verdict.FAILED
    assert told in f"{finding.text} → {finding.advice}"


def test_v2_delays_are_against_the_ends_of_words() -> None:
    record = v2_conversation(BEGINS, FINAL, TERMINATED)
    record.said = [Said(2.5, "terminate_session")]
    assert [(row.name, row.p50_ms) for row in v2_judging.latencies(record)] == [
        ("connect → SessionBegins", 1000.0),
        ("word first shown", 700.0),
        ("final", 700.0),
        ("terminate → SessionTerminated", 500.0),
    ]
