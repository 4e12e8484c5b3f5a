"""The bridge as its clients meet it, in front of our own server and of one that speaks as the hosted service does."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
from background import Background
from hosted_replay import KEY as HOSTED_KEY
from hosted_replay import Behaviour, HostedReplay
from running_bridge import BRIDGE_KEY, RunningBridge, Start, begins, kinds
from running_service import CHUNK, KEY, Service, eventually, limits
from speech_track import SpeechTrack
from tcp_proxy import Harm, How, Proxy
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

SENTENCE = "Hi, my name is Sonny."


def test_a_session_from_begin_to_end(bridge: RunningBridge) -> None:
    client = begins(bridge.connects("sample_rate=16000&enable_extra_session_information=true"))
    for _ in range(15):
        client.sends(CHUNK)
        client.sends({"audio_data": base64.b64encode(CHUNK).decode()})
    client.sends({"terminate_session": True})
    messages, code, _ = client.hears_end()
    assert kinds(messages) == [SENTENCE, "SessionInformation", "SessionTerminated"]
    assert messages[-2]["audio_duration_seconds"] == 1.5
    partials = [message["text"] for message in messages if message.get("message_type") == "PartialTranscript"]
    assert partials[-1] == "hi my name is sonny"
    assert code == 1000


def test_audio_that_is_sent_before_the_session_begins_is_heard(bridge: RunningBridge) -> None:
    client = bridge.connects()
    client.says(1500)
    client.sends({"terminate_session": True})
    assert kinds(client.hears_end()[0]) == ["SessionBegins", SENTENCE, "SessionTerminated"]


def test_a_wrong_key_is_refused_without_a_word_to_the_service(bridge: RunningBridge, service: Service) -> None:
    for key in ("wrong", KEY, None):
        messages, code, _ = bridge.connects(key=key).hears_end()
        assert (kinds(messages), code) == (["error"], 4001)
    assert service.gateway.admission.active == 0


def test_a_key_that_the_service_does_not_know_is_not_told_to_clients(service: Service, start: Start) -> None:
    messages, code, _ = start(service.url, "not-the-key").connects().hears_end()
    assert (kinds(messages), code) == (["error"], 4001)
    assert "the bridge's key" in messages[0]["error"]
    assert "not-the-key" not in messages[0]["error"]


@pytest.mark.parametrize(("query", "code"), [("", 4000), ("sample_rate=16000&word_boost=x", 4104)])
def test_a_bad_parameter_is_refused_by_the_bridge(bridge: RunningBridge, query: str, code: int) -> None:
    messages, actual, _ = bridge.connects(query).hears_end()
    assert (kinds(messages), actual) == (["error"], code)


@pytest.mark.parametrize(("message", "code"), [("nonsense", 4100), ("{}", 4101), (b"\0" * 352_000, 4033)])
def test_a_bad_message_ends_the_session(bridge: RunningBridge, message: str | bytes, code: int) -> None:
    client = begins(bridge.connects())
    client.sends(message)
    messages, actual, _ = client.hears_end()
    assert (kinds(messages), actual) == (["error", "SessionTerminated"], code)


def test_a_service_that_is_not_there_is_1013(start: Start) -> None:
    messages, code, _ = start("ws://127.0.0.1:1").connects().hears_end()
    assert (kinds(messages), code) == (["error"], 1013)
    assert messages[0]["error"].startswith("Temporary server condition")


def test_a_service_that_is_full_is_4102(serve: Callable[..., Service], start: Start) -> None:
    service = serve(max_sessions=1)
    bridge = start(service.url)
    begins(bridge.connects())
    messages, code, _ = bridge.connects().hears_end()
    assert (kinds(messages), code) == (["error"], 4102)


def test_a_bridge_that_is_full_is_4102(service: Service, start: Start) -> None:
    bridge = start(service.url, max_sessions=1)
    begins(bridge.connects())
    messages, code, _ = bridge.connects().hears_end()
    assert (kinds(messages), code) == (["error"], 4102)


def test_the_longest_session_of_the_service_is_4008_after_its_last_words(
    serve: Callable[..., Service], start: Start
) -> None:
    service = serve(session=limits(max_duration_s=60))
    client = begins(start(service.url).connects())
    client.says(1400)
    assert service.has_received(1400)
    service.loop.passes(60)
    messages, code, _ = client.hears_end()
    assert (kinds(messages), code) == ([SENTENCE, "error", "SessionTerminated"], 4008)


def test_tokens_of_the_bridge_open_sessions_and_carry_their_own_limit(bridge: RunningBridge, service: Service) -> None:
    answer = bridge.answers(
        "/v2/realtime/token", "POST", json={"expires_in": 60}, headers={"Authorization": BRIDGE_KEY}
    )
    begins(bridge.connects(f"sample_rate=16000&token={answer.json()['token']}", key=None))
    short = bridge.switchboard.mint.mint(expires_in_s=60, max_session_s=60)
    client = begins(bridge.connects(f"sample_rate=16000&token={short}", key=None))
    client.says(1400)
    assert service.has_received(0, 1400)
    bridge.loop.passes(60)
    messages, code, _ = client.hears_end()
    assert (kinds(messages), code) == ([SENTENCE, "error", "SessionTerminated"], 4008)
    assert bridge.answers("/v2/realtime/token", "POST", json={"expires_in": 60}).status_code == 401


def test_health_and_other_paths(bridge: RunningBridge) -> None:
    begins(bridge.connects())
    answer = bridge.answers("/health")
    assert (answer.status_code, answer.json()["status"], answer.json()["sessions"]) == (200, "ok", 1)
    assert "/v2/realtime/ws" in bridge.answers("/v3/token").json()["error"]
    with pytest.raises(InvalidStatus), connect(f"ws://127.0.0.1:{bridge.port}/v3/ws"):
        pass


def test_a_client_that_vanishes_leaves_nothing_behind(bridge: RunningBridge, service: Service) -> None:
    client = begins(bridge.connects())
    client.says(500)
    client.socket.socket.close()
    assert eventually(bridge.is_idle)
    assert eventually(service.is_idle)


def test_a_bridge_that_stops_lets_sessions_tell_their_last_words(bridge: RunningBridge) -> None:
    client = begins(bridge.connects())
    client.says(1400)
    assert client.hears()["message_type"] == "PartialTranscript"  # the audio is on its way
    bridge.drains(5)
    messages, code, _ = client.hears_end()
    assert kinds(messages)[-2:] == ["error", "SessionTerminated"]
    assert code == 1013
    assert bridge.answers("/health").status_code == 503


def test_a_bridge_that_stops_does_not_wait_for_a_silent_service(aside: Background, start: Start) -> None:
    hosted = HostedReplay(SpeechTrack.load("sonny"), behaviour=Behaviour(obeys=lambda message_type: False))
    with aside.entered(hosted):
        bridge = start(hosted.url, HOSTED_KEY)
        client = begins(bridge.connects())
        bridge.drains(0.2)
        messages, code, _ = client.hears_end()
    assert (kinds(messages)[-2:], code) == (["error", "SessionTerminated"], 1013)


@pytest.mark.parametrize("how", [How.RESET, How.FIN])
def test_a_lost_connection_costs_no_word(aside: Background, service: Service, start: Start, how: How) -> None:
    proxy = Proxy("127.0.0.1", service.port)
    with aside.entered(proxy):
        aside.call(proxy.plan, Harm(how, after_bytes=20_000))
        bridge = start(proxy.url)
        client = begins(bridge.connects("sample_rate=16000&enable_extra_session_information=true"))
        client.says(1500)
        client.sends({"terminate_session": True})
        messages, code, _ = client.hears_end()
        assert aside.call(lambda: proxy.connections) == 2
    assert (kinds(messages), code) == ([SENTENCE, "SessionInformation", "SessionTerminated"], 1000)
    assert messages[-2]["audio_duration_seconds"] == 1.5


def test_a_connection_that_is_lost_to_the_hosted_service_costs_no_word_and_doubles_none(
    aside: Background, start: Start
) -> None:
    track = SpeechTrack.load("sonny")
    with aside.entered(HostedReplay(track)) as hosted, aside.entered(Proxy("127.0.0.1", hosted.port)) as proxy:
        aside.call(proxy.plan, Harm(How.RESET, after_bytes=60_000), Harm(How.RESET, after_bytes=50_000))
        client = begins(start(proxy.url, HOSTED_KEY).connects())
        audio = track.audio()
        for at in range(0, len(audio), 3200):
            client.sends(audio[at : at + 3200])
        client.sends({"terminate_session": True})
        messages, code, _ = client.hears_end()
        assert aside.call(lambda: proxy.connections) == 3
    words = [word for message in messages if message["message_type"] == "FinalTranscript" for word in message["words"]]
    assert [word["text"].lower().strip(".,") for word in words] == [word.raw for word in track.words]
    assert [word["start"] for word in words] == [word.start_ms for word in track.words]
    assert code == 1000


def test_behind_the_bridge_may_be_the_hosted_service(aside: Background, start: Start) -> None:
    hosted = HostedReplay(SpeechTrack.load("sonny"))
    with aside.entered(hosted):
        bridge = start(hosted.url, HOSTED_KEY)
        client = begins(bridge.connects("sample_rate=16000&word_boost=%5B%22Sonny%22%5D"))
        client.says(5000)
        client.sends({"terminate_session": True})
        messages, code, _ = client.hears_end()
        query = hosted.visits[0].query
    assert (kinds(messages), code) == ([SENTENCE, "I'd like a table for two.", "SessionTerminated"], 1000)
    assert all(message["punctuated"] for message in messages if message["message_type"] == "FinalTranscript")
    assert json.loads(query["keyterms_prompt"]) == ["Sonny"]
    assert query["speech_model"] == "universal-streaming-english"


def test_a_service_that_formats_nothing_is_told_raw(aside: Background, start: Start) -> None:
    hosted = HostedReplay(
        SpeechTrack.load("sonny"),
        behaviour=Behaviour(alter=lambda message: None if message.get("turn_is_formatted") else message),
    )
    with aside.entered(hosted):
        client = begins(start(hosted.url, HOSTED_KEY).connects("sample_rate=16000&disable_partial_transcripts=true"))
        client.says(2800)
        messages = [client.hears()]  # although nothing follows
        client.says(2200)
        client.sends({"terminate_session": True})
        rest, code, _ = client.hears_end()
        messages += rest
    assert (kinds(messages), code) == (["hi my name is sonny", "i'd like a table for two", "SessionTerminated"], 1000)
    assert not any(message["punctuated"] for message in messages if message["message_type"] == "FinalTranscript")


def test_garbage_of_all_kinds_leaves_the_bridge_idle(bridge: RunningBridge) -> None:
    for garbage in ("", "{", "null", '"x"', "\u0000", json.dumps({"audio_data": "=" * 1000})):
        client = begins(bridge.connects())
        client.tries_to_send(garbage, {"terminate_session": True})
        client.hears_end()
    assert eventually(bridge.is_idle)
