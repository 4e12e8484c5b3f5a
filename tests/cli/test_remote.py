"""`tympan transcribe --url` against a real WebSocket server on loopback that plays a written conversation."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import MakeAudio, Run
from v3_service import RAW_ANSWER, U3_ANSWER, US_ANSWER, Service, running

from certificates import Certificate, make_certificate

RECORD = "record {url} --input {file} --output {folder}/script.toml"


@pytest.fixture
def service() -> Iterator[Service]:
    with running(Service()) as service:
        yield service


def test_formatted_turns_come_back(run: Run, service: Service, audio_file: MakeAudio) -> None:
    ran = run("transcribe", "--url", service.url, audio_file())

    assert (ran.code, ran.output, ran.errors) == (0, "Hello there.\nGoodbye.\n", "")


@pytest.mark.parametrize(
    ("answer", "output"),
    [
        (US_ANSWER, "Hello there.\nGoodbye.\n"),
        (U3_ANSWER, "Hello there.\nGoodbye.\n"),
        (RAW_ANSWER, "hello there\ngoodbye\n"),
    ],
    ids=["a raw and a formatted final", "one formatted final", "raw finals only"],
)
@pytest.mark.parametrize("command", ["transcribe", "listen --input"])
def test_every_style_of_service_tells_each_turn_once(
    run: Run, service: Service, audio_file: MakeAudio, answer: tuple[dict[str, object], ...], output: str, command: str
) -> None:
    service.answer = answer

    ran = run(*command.split(), audio_file(seconds=0.3), "--url", service.url)

    assert (ran.code, ran.output, ran.errors) == (0, output, "")


@pytest.mark.parametrize("command", ["transcribe", "listen --input"])
def test_a_connection_that_is_cut_is_opened_again_and_nothing_is_lost(
    run: Run, service: Service, audio_file: MakeAudio, command: str
) -> None:
    service.drops_after_chunks = 4

    ran = run(*command.split(), audio_file(seconds=0.5), "--url", service.url)

    lost, *_, back = ran.errors.splitlines()
    assert (ran.code, ran.output) == (0, "Hello there.\nGoodbye.\n")
    assert lost.startswith("tympan: the connection to the server was lost; trying again in ")
    assert back == "tympan: the connection is back; nothing was lost"
    assert [len(audio) for audio in service.audio] == [16_000]


def test_the_whole_file_is_sent_at_its_own_rate(run: Run, service: Service, audio_file: MakeAudio) -> None:
    run("transcribe", "--url", service.url, audio_file("a.flac", rate_hz=44_100, channels=2, seconds=1.0))

    assert service.parameters[0]["sample_rate"] == ["44100"]
    assert service.parameters[0]["encoding"] == ["pcm_s16le"]
    assert service.parameters[0]["format_turns"] == ["true"]
    assert len(service.audio[0]) == 2 * 44_100


@pytest.mark.parametrize("rate_hz", [4_000, 192_000])
def test_a_rate_that_the_service_does_not_take_is_converted(
    run: Run, service: Service, audio_file: MakeAudio, rate_hz: int
) -> None:
    run("transcribe", "--url", service.url, audio_file(rate_hz=rate_hz, seconds=1.0))

    assert service.parameters[0]["sample_rate"] == ["16000"]
    assert abs(len(service.audio[0]) / 2 - 16_000) <= 2


def test_json_has_the_words_of_the_service(run: Run, service: Service, audio_file: MakeAudio) -> None:
    result = run("transcribe", "--url", service.url, "--format", "json", audio_file()).json

    assert result["audio_duration_ms"] == 3_000
    assert result["turns"][0]["words"][1] == {"text": "there.", "start": 100, "end": 180, "confidence": 0.75}


def test_the_key_is_given_by_option_or_environment(
    run: Run, service: Service, audio_file: MakeAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("transcribe", "--url", service.url, "--api-key", "one", audio_file())
    monkeypatch.setenv("TYMPAN_API_KEY", "two")
    run("transcribe", "--url", service.url, audio_file())

    assert service.keys == ["one", "two"]


@pytest.mark.parametrize("command", ["transcribe {file} --url {url}", "listen --input {file} --url {url}", RECORD])
def test_a_token_is_given_instead_of_a_key(
    run: Run, service: Service, audio_file: MakeAudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("TYMPAN_API_KEY", "secret")
    words = command.format(file=audio_file(seconds=0.3), url=service.url, folder=tmp_path).split()

    ran = run(*words, "--token", "for a minute")

    assert ran.code == 0
    assert (service.parameters[0]["token"], service.keys) == (["for a minute"], [None])


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path)


@pytest.fixture
def encrypted(certificate: Certificate) -> Iterator[Service]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.both)
    with running(Service(tls=context)) as service:
        yield service


@pytest.mark.parametrize("command", ["transcribe", "listen --input"])
def test_an_authority_of_ones_own_is_trusted_by_option(
    run: Run, encrypted: Service, certificate: Certificate, audio_file: MakeAudio, command: str
) -> None:
    words = (*command.split(), audio_file(seconds=0.3), "--url", encrypted.url)

    distrusted = run(*words)
    trusted = run(*words, "--ca", certificate.authority)

    assert (distrusted.code, distrusted.output, distrusted.errors.count("\n")) == (5, "", 1)
    assert "certificate can't be verified" in distrusted.errors
    assert distrusted.errors.endswith("; --ca FILE trusts an authority of your own\n")
    assert (trusted.code, trusted.output, trusted.errors) == (0, "Hello there.\nGoodbye.\n", "")


def test_a_recording_trusts_an_authority_of_ones_own(
    run: Run, encrypted: Service, certificate: Certificate, audio_file: MakeAudio, tmp_path: Path
) -> None:
    words = RECORD.format(file=audio_file(seconds=0.3), url=encrypted.url, folder=tmp_path).split()

    assert run(*words).code == 5
    assert run(*words, "--ca", certificate.authority).code == 0


def test_authorities_that_cannot_be_read_are_told_before_anything_else(run: Run, audio_file: MakeAudio) -> None:
    ran = run("transcribe", audio_file(), "--url", "wss://127.0.0.1:1", "--ca", "nowhere.pem")

    assert (ran.code, ran.output, ran.errors.count("\n")) == (11, "", 1)
    assert "--ca: nowhere.pem: expected a PEM file with certificates" in ran.errors


def test_the_model_of_the_server_is_asked_for_by_name(run: Run, service: Service, audio_file: MakeAudio) -> None:
    run("transcribe", "--url", service.url, audio_file(), "--speech-model", "whisper-rt")
    run("transcribe", "--url", service.url, audio_file())

    assert [parameters.get("speech_model") for parameters in service.parameters] == [["whisper-rt"], None]


def test_several_files_are_a_session_each(run: Run, service: Service, audio_file: MakeAudio) -> None:
    ran = run("transcribe", "--url", service.url, audio_file("a.wav"), audio_file("b.ogg"))

    assert ran.output.count("Hello there.") == 2
    assert len(service.audio) == 2


@pytest.mark.parametrize("after_chunks", [0, 5])
@pytest.mark.parametrize(
    ("close_code", "exit_code"), [(1008, 6), (3006, 7), (3007, 7), (3005, 8), (3008, 8), (3009, 8)]
)
def test_what_the_service_says_is_the_error(
    run: Run, service: Service, audio_file: MakeAudio, close_code: int, exit_code: int, after_chunks: int
) -> None:
    service.refusal, service.refuses_after_chunks = (close_code, "no, because of that"), after_chunks

    ran = run("transcribe", "--url", service.url, audio_file(seconds=30))

    assert (ran.code, ran.output, ran.errors.count("\n")) == (exit_code, "", 1)
    assert ran.errors.startswith("tympan: no, because of that")
    assert ("--api-key" in ran.errors) == (exit_code == 6)


def test_without_a_server_it_is_a_network_error(run: Run, audio_file: MakeAudio) -> None:
    ran = run("transcribe", "--url", "ws://127.0.0.1:1", audio_file())

    assert (ran.code, ran.output) == (5, "")
    assert ran.errors.startswith("tympan: cannot connect to ws://127.0.0.1:1")
    assert ran.errors.count("\n") == 1


def test_a_file_that_breaks_off_in_the_middle_ends_the_session(
    run: Run, service: Service, audio_file: MakeAudio
) -> None:
    path = audio_file("a.flac", seconds=20)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    ran = run("transcribe", "--url", service.url, path)

    assert (ran.code, ran.output) == (3, "")
    assert "damaged after" in ran.errors
    assert service.audio == []


def test_realtime_sends_at_the_pace_of_the_audio(run: Run, service: Service, audio_file: MakeAudio) -> None:
    path = audio_file(seconds=0.5)

    started = time.monotonic()
    assert run("transcribe", "--url", service.url, "--realtime", path).code == 0
    assert time.monotonic() - started >= 0.5


def test_an_address_that_is_none_is_refused(run: Run, audio_file: MakeAudio, tmp_path: Path) -> None:
    ran = run("transcribe", "--url", "ftp://example.org", audio_file())

    assert ran.code == 7
    assert "no address of a server" in ran.errors
