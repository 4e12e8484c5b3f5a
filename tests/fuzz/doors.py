"""The doors: every place where bytes or text from outside are decoded, what it may raise, and how it is tried.

`DOORS` is the inventory. Each row opens one decoder as the program does; `test_doors.py` offers it mutations of its
seeds, `big_inputs.py` very large ones, `scripts/fuzz.py` what coverage guides to. `decoders` are the functions that
stand behind it: a test finds every function of the package that decodes, and fails for one that stands in no row.

What comes in by a socket (frames, handshakes, order of messages) is tried on real servers: `test_server_fuzz.py`,
`test_bridge_fuzz.py`, `test_client_fuzz.py`, `tests/server/test_hostile_bytes.py`.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from door_openings import (
    adts,
    authorities,
    bridged_client,
    bridged_service,
    certificate,
    client_address,
    configuration_file,
    manifest,
    migrated,
    mulaw,
    ogg_opus,
    opus,
    ort_graph,
    pcm,
    pipe_header,
    probe_address,
    probed_v2,
    probed_v3,
    question,
    resume_query,
    script,
    source_file,
    spoken,
    target_host,
    temporary_token,
    token_answer,
    token_request,
    transcribed_file,
    v2_client_message,
    v2_query,
    v2_server_message,
    v3_client_message,
    v3_query,
    v3_server_message,
    vocabulary,
    webhook_address,
    webhook_secret,
)

from tympan.client.errors import ClientError, RequestError, TlsError
from tympan.core.errors import (
    MediaError,
    ModelError,
    NotResumable,
    ProtocolError,
    ScriptError,
    SettingsError,
    Unauthorized,
    UsageError,
)
from tympan.migrate.document import Unreadable
from tympan.migrate.files import FileError

Bytes = tuple[bytes, ...]


@dataclass(frozen=True)
class Door:
    """`opening` takes the bytes in a folder of its own, and checks what must hold of what comes out.

    `errors` are all that it may raise. `seeds` are honest inputs. `is_slow`: tried less often.
    """

    name: str
    opening: Callable[[bytes, Path], object]
    errors: tuple[type[Exception], ...]
    seeds: Bytes
    decoders: tuple[str, ...]
    is_slow: bool = False

    def offer(self, data: bytes, folder: Path) -> None:
        """Bring bytes to the door: nothing but the documented errors comes back, and each can be told in a line."""
        try:
            self.opening(data, folder)
        except self.errors as error:
            text = str(error)
            assert text
            assert len(text) < 2_000 + 2 * len(str(folder)), text[:200]


def _json(*documents: object) -> Bytes:
    return tuple(json.dumps(document).encode() for document in documents)


WORD = {"start": 100, "end": 300, "confidence": 0.9, "text": "hi", "word_is_final": True}
TURN = {
    "type": "Turn",
    "turn_order": 0,
    "turn_is_formatted": False,
    "end_of_turn": True,
    "transcript": "hi",
    "end_of_turn_confidence": 0.5,
    "words": [WORD, {**WORD, "start": 320, "end": 500, "text": "there"}],
    "utterance": "hi",
    "language_code": "en",
    "language_confidence": 0.9,
}
V3_CLIENT = _json(
    {"type": "UpdateConfiguration", "min_turn_silence": 100, "vad_threshold": 0.5, "keyterms_prompt": ["a"]},
    {"type": "UpdateConfiguration", "mode": "max_accuracy", "format_turns": True, "prompt": "x", "turn_left_pad_ms": 1},
    {"type": "ForceEndpoint"},
    {"type": "KeepAlive"},
    {"type": "Terminate"},
    {"type": "Acknowledge", "messages": 3},
)
V3_SERVER = _json(
    {"type": "Begin", "id": "7f1e4a34-9a3e-4b9e-a0c5-5b0b3c1d2e3f", "expires_at": 1_800_000_000, "resume_key": "k"},
    {"type": "Begin", "id": "a", "expires_at": 1, "configuration": {"model": "m", "speaker_labels": False}},
    TURN,
    {**TURN, "end_of_turn": False, "turn_order": 1},
    {**TURN, "turn_is_formatted": True},
    {"type": "SpeechStarted", "timestamp": 100, "confidence": 0.5},
    {"type": "Heartbeat", "total_audio_received_ms": 1, "total_duration_ms": 2, "realtime_factor": 0.5},
    {"type": "Silence", "start_ms": 0, "end_ms": 1000},
    {"type": "Warning", "warning_code": 1, "warning": "x"},
    {"type": "Checkpoint", "audio_received_bytes": 1, "audio_settled_ms": 1, "messages_received": 0},
    {"type": "Resumed", "id": "a", "audio_received_bytes": 0, "messages_received": 0, "expires_at": 1},
    {"type": "Error", "error": "x", "error_code": 3006},
    {"type": "Termination", "audio_duration_seconds": 1, "session_duration_seconds": 1},
)
V2_CLIENT = _json(
    {"audio_data": "AAAA"},
    {"terminate_session": True},
    {"force_end_utterance": True},
    {"end_utterance_silence_threshold": 700},
)
_V2_WORD = {"start": 0, "end": 1, "confidence": 0.5, "text": "hi"}
_V2_TRANSCRIPT = {"audio_start": 0, "audio_end": 1, "confidence": 0.5, "text": "hi", "words": [_V2_WORD]}
V2_SERVER = _json(
    {"message_type": "SessionBegins", "session_id": "7f1e4a34-9a3e-4b9e-a0c5-5b0b3c1d2e3f", "expires_at": "2026-01-01"},
    {"message_type": "PartialTranscript", **_V2_TRANSCRIPT, "created": "2026-01-01T00:00:00.000000"},
    {
        "message_type": "FinalTranscript",
        **_V2_TRANSCRIPT,
        "created": "2026-01-01T00:00:00.000000",
        "punctuated": True,
        "text_formatted": True,
    },
    {"message_type": "SessionInformation", "audio_duration_seconds": 1.5},
    {"message_type": "SessionTerminated"},
    {"error": "x"},
)
SCRIPTS = (
    b'[[turns]]\ntext = "Hi, my name is Sonny."\nstart_ms = 300\nend_of_turn_confidence = 0.9\n\n[[faults]]\n'
    b'after_audio_ms = 500\nclose = 3005\nerror = "gone"\n\n[[faults]]\nat = "begin"\ndelay_ms = 5\n',
    b'[[sessions]]\n[[sessions.words]]\ntext = "hi"\nstart_ms = 0\nend_ms = 5\n[[sessions]]\nafter_last = "silence"\n',
    b'frame_ms = 50\npartial_every_ms = 200\n[[messages]]\nat_ms = 5\ntype = "Warning"\n'
    b'warning_code = 1\nwarning = "x"\n',
    b'{"sessions": [{"turns": [{"text": "Hi.", "pause_ms": 100}], "faults": [{"after_messages": 2, "drop": true}]}]}',
)


def _wav(rate_hz: int, channels: int, encoding: int, bits: int, audio: bytes) -> bytes:
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", encoding, channels, rate_hz, rate_hz * frame, frame, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(audio)) + audio
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _coded(kind: str, subtype: str) -> bytes:
    """A tenth of a second of audio as libsndfile writes it."""
    from io import BytesIO  # noqa: PLC0415

    import numpy as np  # noqa: PLC0415
    import soundfile  # noqa: PLC0415

    file = BytesIO()
    samples = (np.sin(np.arange(1600) / 7) * 0.5).astype("float32")
    soundfile.write(file, samples, 16_000, format=kind, subtype=subtype)
    return file.getvalue()


AUDIO_FILES = (
    _wav(16_000, 1, 1, 16, bytes(800)),
    _wav(8_000, 2, 7, 8, bytes(800)),
    _wav(48_000, 2, 3, 32, bytes(800)),
    _wav(16_000, 1, 0xFFFE, 16, bytes(800)),
    _coded("FLAC", "PCM_16"),
    _coded("OGG", "VORBIS"),
    _coded("MP3", "MPEG_LAYER_III"),
    _coded("AIFF", "PCM_16"),
    _coded("AU", "ULAW"),
    _coded("CAF", "ALAC_16"),
    _coded("W64", "PCM_24"),
)
PROGRAMS = (
    b'import websockets\nURL = "wss://api.assemblyai.com/v2/realtime/ws?sample_rate=16000"\nasync def main():\n'
    b"    async with websockets.connect(URL) as ws:\n        await ws.send(json.dumps({'audio_data': data}))\n"
    b"        if json.loads(await ws.recv())['message_type'] == 'FinalTranscript': print(1)\n",
    b"import assemblyai as aai\ntranscriber = aai.RealtimeTranscriber(sample_rate=16_000, on_data=on_data)\n"
    b"transcriber.connect()\ntranscriber.stream(aai.extras.MicrophoneStream())\n",
)
NOTEBOOK = json.dumps(
    {
        "cells": [
            {"cell_type": "code", "source": PROGRAMS[0].decode(), "outputs": []},
            {"cell_type": "code", "source": ["%time x\n", "!pip install assemblyai"], "outputs": []},
            {"cell_type": "markdown", "source": "a"},
        ],
        "metadata": {"kernelspec": {"language": "python"}},
    }
).encode()
JAVASCRIPT = (
    b"const ws = new WebSocket(`wss://api.assemblyai.com/v2/realtime/ws?token=${token}`);\n"
    b"ws.onmessage = (m) => { if (JSON.parse(m.data).message_type === 'FinalTranscript') { /* ' */ } };\n"
)
SETTINGS_FILE = b"# old\nURL=wss://api.assemblyai.com/v2/realtime/ws?sample_rate=16000 # x\nASSEMBLYAI_TOKEN='a'\n"

_OGG = b"".join(
    b"OggS" + struct.pack("<BBqIIIB", 0, flags, granule, 1, number, 0, 1) + bytes([len(packet)]) + packet
    for number, (flags, granule, packet) in enumerate(
        [
            (2, 0, b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48_000, 0, 0)),
            (0, 0, b"OpusTags" + struct.pack("<II", 0, 0)),
            (4, 960, b"\x48" + bytes(60)),
        ]
    )
)

DOORS = (
    Door(
        "v3 text message of a client",
        v3_client_message,
        (ProtocolError,),
        V3_CLIENT,
        ("tympan.wire.codec:Codec.decode", "tympan.wire.codec:parse_json", "tympan.script.director:_document"),
    ),
    Door(
        "v3 query of a client",
        v3_query,
        (ProtocolError,),
        (
            b"sample_rate=16000&encoding=pcm_s16le&format_turns=true&keyterms_prompt=%5B%22a%22%5D&token=t",
            b"speech_model=u3-rt-pro&mode=max_accuracy&min_turn_silence=100&language_codes=en&vad_threshold=0.5",
            b"formatted_source=final_words&end_of_turn_confidence_threshold=0.4&resumable=true&inactivity_timeout=9",
        ),
        ("tympan.wire.query:_fields", "tympan.wire.kinds:_json", "tympan.testing.heard:HeardSession.__init__"),
    ),
    Door(
        "key and count of a client that resumes",
        resume_query,
        (ProtocolError, NotResumable),
        (b"resume_key=abc&messages_received=3",),
        (),
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
        "v2 query of a client",
        v2_query,
        (ProtocolError,),
        (b"sample_rate=16000&encoding=pcm_mulaw&word_boost=%5B%22a%22%5D&token=t&disable_partial_transcripts=true",),
        ("tympan.wire.v2.params:BoostedWords.parse",),
    ),
    Door(
        "credential: header, query or JWT",
        temporary_token,
        (Unauthorized,),
        (b"Bearer the-right-key", b"eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjEsImp0aSI6ImEiLCJtYXhfc2Vzc2lvbl9zIjo2MH0.AAAA"),
        ("tympan.server.tokens:TokenMint.redeem",),
    ),
    Door(
        "body of a v2 request for a token",
        token_request,
        (ProtocolError,),
        _json({"expires_in": 60}),
        ("tympan.wire.v2.tokens:parse_token_request",),
    ),
    Door(
        "address of a webhook, and when its receiver wants to be asked again",
        webhook_address,
        (),
        (b"https://example.org:8443/hook?a=b", b"http://[::1]/", b"Wed, 21 Oct 2026 07:28:00 GMT", b"120"),
        (
            "tympan.wire.v3.webhook:url_objection",
            "tympan.server.outbound.deliveries:Deliveries.check",
            "tympan.server.outbound.deliveries:_receiver",
        ),
    ),
    Door(
        "secret that signs webhooks",
        webhook_secret,
        (ValueError,),
        (b"whsec_" + b"A" * 32,),
        ("tympan.server.outbound.signature:read_secret",),
    ),
    Door(
        "question to a language model, and its answer",
        question,
        (ProtocolError,),
        _json(
            {"model": "m", "messages": [{"role": "user", "content": "{{turn}}"}], "max_tokens": 5},
            {"choices": [{"message": {"content": "hi"}}]},
        ),
        ("tympan.wire.v3.llm_gateway:Prompt.question", "tympan.wire.v3.llm_gateway:Question.response"),
    ),
    Door("Opus packets", opus, (ProtocolError,), (b"\x48" + bytes(60), b"\xfc\xff\xfe"), ()),
    Door(
        "Ogg Opus, cut anywhere",
        ogg_opus,
        (ProtocolError,),
        (_OGG,),
        (
            "tympan.core.packets.ogg:OggPages._open_page",
            "tympan.core.packets.ogg_opus:_read_head",
        ),
    ),
    Door("AAC in ADTS, cut anywhere", adts, (ProtocolError,), ((b"\xff\xf1\x60\x40\x08\x1f\xfc" + bytes(57)) * 3,), ()),
    Door("PCM, in chunks of any length", pcm, (), (bytes(range(64)),), ("tympan.dsp.pcm:decode_pcm16",)),
    Door("mu-law, in chunks of any length", mulaw, (), (bytes(range(64)),), ("tympan.dsp.mulaw:decode_mulaw",)),
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
        "answer of a server that makes tokens",
        token_answer,
        (ClientError,),
        _json({"token": "abc", "expires_in_seconds": 60}, {"error": "no", "detail": [{"msg": "no"}]}),
        ("tympan.client.tokens:_document",),
    ),
    Door(
        "address of a server",
        client_address,
        (RequestError,),
        (
            b"ws://user:pass@localhost:8000/v3/ws?a=b",
            b"https://[::1]:80",
            b"example.org",
        ),
        ("tympan.client.address:_parts",),
    ),
    Door(
        "address for the probe",
        probe_address,
        (UsageError,),
        (b"wss://localhost:8000/v2/realtime/ws?a=b", b"x:1"),
        ("tympan.migrate.probe.address:Address.parse",),
    ),
    Door(
        "script of a test double",
        script,
        (ScriptError,),
        SCRIPTS,
        (
            "tympan.script.format:_document",
            "tympan.script.format:_message",
            "tympan.engines.scripted:load",
            "tympan.testing.double:_read",
        ),
    ),
    Door(
        "configuration file",
        configuration_file,
        (SettingsError,),
        (
            b'port = 0\nhost = "::1"\napi_keys = ["a", "b"]\nno_auth = true\nping_interval_s = 1.5\nworkers = 1\n',
            b'tls_cert = "cert.pem"\ntls_key = "key.pem"\nscript = "s.toml"\nmax_backlog_s = 3\nstrict = true\n',
        ),
        ("tympan.server.listening_settings:_read_file",),
        is_slow=True,
    ),
    Door(
        "certificate and key of a server",
        certificate,
        (SettingsError,),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n",),
        (
            "tympan.server.tls:check_tls",
            "tympan.server.tls:_check_readable",
            "tympan.server.tls:_has_certificate",
        ),
    ),
    Door(
        "certificates of authorities",
        authorities,
        (TlsError, SettingsError),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",),
        ("tympan.client.trust:tls_context", "tympan.migrate.probe.reach:tls_context"),
        is_slow=True,
    ),
    Door(
        "audio file",
        transcribed_file,
        (MediaError,),
        AUDIO_FILES,
        (
            "tympan.client.raw_audio:read_wav_header",
            "tympan.client.sources:_is_plain_wav",
            "tympan.client.sources:_soundfile",
        ),
    ),
    Door(
        "audio in a pipe",
        pipe_header,
        (MediaError,),
        AUDIO_FILES[:4],
        ("tympan.client.pipe_source:PipeSource._read_header",),
        is_slow=True,
    ),
    Door(
        "manifest of a pulled model",
        manifest,
        (ModelError,),
        _json({"source": "a", "revision": "b", "sha256": {"encoder_model.ort": "0", "tokenizer.bin": "1"}}),
        ("tympan.engines.moonshine.store:Manifest.parse", "tympan.engines.moonshine.store:_in_folder"),
    ),
    Door(
        "vocabulary of a model",
        vocabulary,
        (ModelError,),
        (b"\x00\x03<s>\x04</s>\x01a\x82\x01" + b"b" * 130,),
        ("tympan.engines.moonshine.tokens:Vocabulary.read",),
    ),
    Door(
        "weights of a model",
        ort_graph,
        (ModelError,),
        (b"\x10\0\0\0ORTM" + bytes(64),),
        (
            "tympan.engines.moonshine.ort_format:read_graph",
            "tympan.engines.moonshine.ort_format:_array",
        ),
        is_slow=True,
    ),
    Door(
        "program to migrate",
        migrated("a.py"),
        (Unreadable,),
        PROGRAMS,
        (
            "tympan.migrate.matching.parsing:parsed",
            "tympan.migrate.matching.parsing:is_text",
            "tympan.migrate.matching.numbers:_literal",
        ),
        is_slow=True,
    ),
    Door(
        "notebook to migrate",
        migrated("a.ipynb"),
        (Unreadable,),
        (NOTEBOOK,),
        (
            "tympan.migrate.formats.json_text:_end_of_value",
            "tympan.migrate.formats.json_text:members",
            "tympan.migrate.formats.json_text:root_of",
            "tympan.migrate.formats.notebook:_code_cells",
            "tympan.migrate.formats.notebook:_code_cell",
        ),
        is_slow=True,
    ),
    Door("JavaScript to migrate", migrated("a.ts"), (Unreadable,), (JAVASCRIPT,), ()),
    Door("settings to migrate", migrated(".env"), (Unreadable,), (SETTINGS_FILE,), ()),
    Door("settings in INI to migrate", migrated("a.ini"), (Unreadable,), (SETTINGS_FILE,), ()),
    Door(
        "bytes of a file to migrate",
        source_file,
        (FileError, Unreadable),
        (b"# -*- coding: latin-1 -*-\nx = '\xe9'\r\n", b"\xef\xbb\xbfx = 1\n"),
        ("tympan.migrate.files:read_file",),
    ),
    Door(
        "host of the target of a migration",
        target_host,
        (ValueError,),
        (b"localhost:8000", b"wss://a.b/"),
        ("tympan.migrate.rule:Target.of",),
    ),
)
"""Every door."""

NOT_FROM_OUTSIDE = {
    "tympan.server.outbound.language_model:_completions_url": "an address that the settings have checked",
    "tympan.server.outbound.poster:Poster.post": "an address that was checked by then",
    "tympan.server.outbound.poster:Poster._open_pool": "the machine's own authorities",
    "tympan.engines.moonshine.cache:_problem": "written by ourselves, checked by checksum, made again when damaged",
    "tympan.engines.moonshine.precision:best_precision": "/proc/cpuinfo",
    "tympan.engines.wheel_model:WheelModel.read": "nothing is decoded before its checksum is right",
    "tympan.engines.wheel_pull:_take_out": "nothing is decoded before its checksum is right",
    "tympan.migrate.probe.speech:_read_text": "a text, taken as it is",
}
"""Functions that read, and why they are no doors."""
