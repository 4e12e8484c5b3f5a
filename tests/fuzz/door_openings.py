"""How each door is opened: bytes as they come from outside → the decoder, and what must hold of what it gives.

Texts come as UTF-8, as they do on the wire; a message a line where a door takes many.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tympan.cli.subtitles import SubtitleWriter
from tympan.cli.transcript import Transcript, TranscriptFormat, render
from tympan.cli.turns import TurnLedger
from tympan.client.address import is_encrypted, session_address, shown_address, token_address
from tympan.client.errors import ErrorContext
from tympan.client.pipe_source import PipeSource
from tympan.client.raw_audio import RawFormat
from tympan.client.seam import Seam
from tympan.client.sources import open_audio, pcm_chunks
from tympan.client.tokens import _token
from tympan.client.trust import tls_context
from tympan.core.audio import AudioFormat, Encoding
from tympan.core.config import SessionConfig
from tympan.core.effects import Mark
from tympan.core.packets.adts import AdtsFramer
from tympan.core.packets.ogg_opus import OggOpusFramer
from tympan.core.packets.opus import OpusFramer
from tympan.core.session import Session
from tympan.core.units import Monotonic
from tympan.dsp.decode import PcmDecoder
from tympan.engines.moonshine.assets import FILE_NAMES
from tympan.engines.moonshine.ort_format import read_graph
from tympan.engines.moonshine.store import MANIFEST_FILE, find_model
from tympan.engines.moonshine.tokens import Vocabulary
from tympan.formatting.pipeline import EnglishWording
from tympan.migrate.discovery import all_rules
from tympan.migrate.document import Unreadable
from tympan.migrate.files import read_file
from tympan.migrate.formats.catalog import format_of
from tympan.migrate.probe import latency, v2_judging, v3_control, v3_session, v3_turns
from tympan.migrate.probe import reach as probe_reach
from tympan.migrate.probe.address import Address
from tympan.migrate.probe.record import Closing, Heard, SessionRecord
from tympan.migrate.rule import Target
from tympan.migrate.runner import check, fix
from tympan.script.director import is_terminate, message_type
from tympan.script.format import parse_programme
from tympan.script.recording import RECORDED, RecordedMessage, recorded_script
from tympan.server.auth import Authenticator
from tympan.server.config import AuthConfig, TlsFiles
from tympan.server.outbound.attempts import retry_after_s
from tympan.server.outbound.reach import Reach
from tympan.server.outbound.signature import read_secret
from tympan.server.resume_keys import ResumeKeys
from tympan.server.settings import load_settings, server_config
from tympan.server.tls import check_tls
from tympan.server.tokens import TokenMint
from tympan.testing.heard import HeardSession
from tympan.wire.bridge import BridgedSession
from tympan.wire.bridge_parameters import bridge_request
from tympan.wire.codec import parse_json
from tympan.wire.v2 import params as v2_params
from tympan.wire.v2.client_messages import decode_client, encode_client
from tympan.wire.v2.messages import decode_server, encode_server
from tympan.wire.v2.tokens import parse_token_request
from tympan.wire.v3 import messages as v3
from tympan.wire.v3 import params as v3_params
from tympan.wire.v3.client import decode_message
from tympan.wire.v3.llm_gateway import Prompt, Question, prompt_objection
from tympan.wire.v3.messages import RESUMABLE_CLIENT_CODEC, SERVER_CODEC
from tympan.wire.v3.server import V3ServerProtocol
from tympan.wire.v3.webhook import url_objection

Opening = Callable[[bytes, Path], object]

SECRET = "secret of the fuzzing"


def text_of(data: bytes) -> str:
    """As a frame or an address brings it: invalid UTF-8 doesn't pass the socket."""
    return data.decode(errors="replace")


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


def v3_query(data: bytes, _: Path) -> None:
    query = text_of(data)
    _ = v3_params.query_token(query)
    HeardSession(query, {})
    for is_strict in (True, False):
        config, options = v3_params.parse_query(query, defaults=SessionConfig(), strict=is_strict, api_version=query)
        assert 8_000 <= config.audio.sample_rate_hz <= 96_000
        assert len(options.api_version) == 10


def resume_query(data: bytes, _: Path) -> None:
    request = v3_params.query_resume(text_of(data))
    if request is not None:
        assert request.messages_received >= 0
        ResumeKeys[object]().find(request.key)


def v2_client_message(data: bytes, _: Path) -> None:
    text = text_of(data)
    heard = HeardSession("", {})
    heard.heard_text(text)
    assert heard.messages
    for is_strict in (True, False):
        message = decode_client(text, is_strict=is_strict)
        assert decode_client(encode_client(message)) == message


def webhook_address(data: bytes, _: Path) -> None:
    url = text_of(data)
    Reach(()).host_refusal(url)
    retry_after_s(url, 0.0)
    if url_objection(url) is None and url:
        parts = urlsplit(url)
        assert parts.scheme in ("http", "https")
        Reach(()).host_refusal(parts.hostname or "")


def webhook_secret(data: bytes, _: Path) -> None:
    assert read_secret(text_of(data))


def question(data: bytes, _: Path) -> None:
    """What a client wants a language model to be asked, and what the model answers."""
    document = json.loads(json.dumps(parse_json(data)))
    if isinstance(document, dict) and document and prompt_objection(document) is None:
        asked = Prompt(document).question(SERVER_CODEC.encode(v3.Turn(0, True, True, "hi", 1.0, ())))
        json.loads(asked.request)
    asked = Question(0, "hi", b"")
    json.loads(asked.response(data))


def ogg_opus(data: bytes, _: Path) -> None:
    _framed(OggOpusFramer(), data)


def adts(data: bytes, _: Path) -> None:
    _framed(AdtsFramer(), data)


def opus(data: bytes, _: Path) -> None:
    _framed(OpusFramer(), data)


def _framed(framer: Any, data: bytes) -> None:
    taken = 0
    for start in range(0, len(data), 50):
        for packet in framer.receive(data[start : start + 50]):
            taken += len(packet.payload)
    assert taken <= len(data)


def v2_query(data: bytes, _: Path) -> None:
    query = text_of(data)
    _ = v2_params.query_token(query)
    for is_strict in (True, False):
        v2_params.parse_query(query, defaults=SessionConfig(), strict=is_strict)
    asked = bridge_request(query)
    session_address("ws://localhost", asked.parameters)


def temporary_token(data: bytes, _: Path) -> None:
    judge = Authenticator(AuthConfig(api_keys=("the-right-key",)), TokenMint(SECRET, is_single_use=True))
    header = data.decode("latin-1")  # as ASGI servers give headers
    judge.admit(header, None)
    judge.admit(None, text_of(data))
    judge.require_key(header)


def token_request(data: bytes, _: Path) -> None:
    assert parse_token_request(data) >= 60


def pcm(data: bytes, _: Path) -> None:
    _decoded(data, Encoding.PCM_S16LE)


def mulaw(data: bytes, _: Path) -> None:
    _decoded(data, Encoding.PCM_MULAW)


def _decoded(data: bytes, encoding: Encoding) -> None:
    for rate_hz in (8_000, 16_000, 96_000):
        audio = AudioFormat(encoding, rate_hz)
        decoder, count = PcmDecoder(audio), 0
        step = max(7, len(data) // 1000)
        for start in range(0, len(data), step):
            count += len(decoder.decode(data[start : start + step]))
        count += len(decoder.flush())
        assert abs(count - len(data) // audio.bytes_per_sample * 16_000 / rate_hz) <= 2


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


def token_answer(data: bytes, _: Path) -> None:
    assert isinstance(_token(data, ErrorContext("ws://localhost")), str)


def client_address(data: bytes, _: Path) -> None:
    url = text_of(data)
    address = session_address(url, {"token": "t-o-k-e-n"})
    assert address.startswith(("ws://", "wss://"))
    assert "t-o-k-e-n" not in shown_address(address)
    is_encrypted(token_address(url, {"expires_in_seconds": 60}))


def probe_address(data: bytes, _: Path) -> None:
    address = Address.parse(text_of(data))
    assert address.websocket({}).startswith(("ws://", "wss://"))
    assert address.shown
    assert address.http("/health")


def script(data: bytes, _: Path) -> None:
    programme = parse_programme(text_of(data), "talk")
    for session in programme.sessions:
        times = [time for word in session.timeline.words for time in (word.start_ms, word.end_ms)]
        assert times == sorted(times)


def configuration_file(data: bytes, folder: Path) -> None:
    file = folder / "tympan.toml"
    file.write_bytes(data)
    server_config(load_settings({}, file))


def certificate(data: bytes, folder: Path) -> None:
    file = folder / "cert.pem"
    file.write_bytes(data)
    check_tls(TlsFiles(file))


def authorities(data: bytes, folder: Path) -> None:
    file = folder / "ca.pem"
    file.write_bytes(data)
    probe_reach.tls_context(file)
    tls_context(file)


def transcribed_file(data: bytes, folder: Path) -> None:
    file = folder / "talk.wav"
    file.write_bytes(data)
    with open_audio(file) as audio:
        longest = 2 * audio.sample_rate_hz // 20
        count = 0
        for chunk in pcm_chunks(audio):
            count += len(chunk)
            assert len(chunk) <= longest
            if count > 10_000_000:  # an hour of silence in a few bytes is honest FLAC
                return


def pipe_header(data: bytes, _: Path) -> None:
    async def listen() -> None:
        reading, writing = os.pipe()
        try:
            os.write(writing, data[:60_000])
            os.close(writing)
            pipe = PipeSource(reading, RawFormat(16_000))
            await pipe.begin()
            count = sum([len(chunk) async for chunk in pipe])
            assert count <= 2 * len(data)
        finally:
            os.close(reading)

    asyncio.run(listen())


def manifest(data: bytes, folder: Path) -> None:
    for name in FILE_NAMES:
        (folder / name).touch()
    (folder / MANIFEST_FILE).write_bytes(data)
    find_model(str(folder), folder / "none")


def vocabulary(data: bytes, folder: Path) -> None:
    file = folder / "tokenizer.bin"
    file.write_bytes(data)
    words = Vocabulary.read(file)
    tokens = range(min(50, len(words)))
    words.spans(list(tokens))


def ort_graph(data: bytes, folder: Path) -> None:
    file = folder / "model.ort"
    file.write_bytes(data)
    read_graph(file)


def migrated(name: str) -> Opening:
    """A file of this name to check and to fix; what is fixed is still of its kind."""

    def opening(data: bytes, _: Path) -> None:
        kind = format_of(name)
        assert kind is not None
        text = text_of(data)
        opened = kind.open(text)
        with suppress(RecursionError):  # `project` tells of it
            outcomes = []
            for document in opened.documents:
                check(document, all_rules(), Target())
                outcomes.append(fix(document, all_rules(), Target(), with_unsafe=True))
            after = opened.rebuilt([outcome.document for outcome in outcomes])
            try:
                kind.open(after)
            except Unreadable as error:
                raise AssertionError(f"a fix broke the file: {error}") from error

    return opening


def source_file(data: bytes, folder: Path) -> None:
    file = folder / "old.py"
    file.write_bytes(data)
    source = read_file(file)
    with suppress(UnicodeError):  # told as a FileError where it is written
        source.encoded(source.text)


def target_host(data: bytes, _: Path) -> None:
    assert Target.of(text_of(data)).socket.startswith(("ws://", "wss://"))
