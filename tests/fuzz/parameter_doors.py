"""Doors for parameters: queries of sessions, and addresses."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from door import Door, text_of

from tympan.client.address import is_encrypted, session_address, shown_address, token_address
from tympan.client.errors import RequestError
from tympan.core.config import SessionConfig
from tympan.core.errors import NotResumable, ProtocolError, UsageError
from tympan.migrate.probe.address import Address
from tympan.migrate.rule import Target
from tympan.server.outbound.attempts import retry_after_s
from tympan.server.outbound.reach import Reach
from tympan.server.resume_keys import ResumeKeys
from tympan.testing.heard import HeardSession
from tympan.wire.bridge_parameters import bridge_request
from tympan.wire.v2 import params as v2_params
from tympan.wire.v3 import params as v3_params
from tympan.wire.v3.webhook import url_objection


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


def webhook_address(data: bytes, _: Path) -> None:
    url = text_of(data)
    Reach(()).host_refusal(url)
    retry_after_s(url, 0.0)
    if url_objection(url) is None and url:
        parts = urlsplit(url)
        assert parts.scheme in ("http", "https")
        Reach(()).host_refusal(parts.hostname or "")


def v2_query(data: bytes, _: Path) -> None:
    query = text_of(data)
    _ = v2_params.query_token(query)
    for is_strict in (True, False):
        v2_params.parse_query(query, defaults=SessionConfig(), strict=is_strict)
    asked = bridge_request(query)
    session_address("ws://localhost", asked.parameters)


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


def target_host(data: bytes, _: Path) -> None:
    assert Target.of(text_of(data)).socket.startswith(("ws://", "wss://"))


DOORS = (
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
        "v2 query of a client",
        v2_query,
        (ProtocolError,),
        (b"sample_rate=16000&encoding=pcm_mulaw&word_boost=%5B%22a%22%5D&token=t&disable_partial_transcripts=true",),
        ("tympan.wire.v2.params:BoostedWords.parse",),
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
        "host of the target of a migration",
        target_host,
        (ValueError,),
        (b"localhost:8000", b"wss://a.b/"),
        ("tympan.migrate.rule:Target.of",),
    ),
)
