"""How many sessions a key may hold and begin, as clients meet it."""

from __future__ import annotations

import asyncio
import time

import jwt
import pytest
from resuming_client import ResumingClient, is_noticed
from running_service import KEY, PATIENCE_S, SONNY, Service, Start, eventually

from tympan.engines.scripted import ScriptedRecognizer, ScriptedStream
from tympan.runtime.key_limits import KeyLimits
from tympan.server.config import AuthConfig

SECRET = "secret of the tests"
FULL = (3009, "Unauthorized Connection: Too many concurrent sessions")


def limited(start: Start, *, auth: AuthConfig | None = None, **limits: int) -> Service:
    return start(auth=auth, key_limits=KeyLimits(**limits))


def begins(service: Service, query: str = "", *, key: str | None = KEY, path: str = "/v3/ws") -> None:
    """A client whose session begins and goes on."""
    first = service.connects(query, key=key, path=path).hears()
    assert first.get("type", first.get("message_type")) in ("Begin", "SessionBegins")


def begins_and_ends(service: Service, query: str = "", *, key: str | None = KEY) -> None:
    client = service.connects(query, key=key)
    assert client.hears()["type"] == "Begin"
    client.sends({"type": "Terminate"})
    assert client.hears_end()[1] == 1000


def refusal(service: Service, query: str = "", *, key: str | None = KEY, path: str = "/v3/ws") -> tuple[int, str]:
    """Code and text of a connection that is refused before its session begins."""
    messages, code, _ = service.connects(query, key=key, path=path).hears_end()
    assert [message.get("type") for message in messages] in (["Error"], [None])
    return code, messages[0]["error"]


def token(service: Service, key: str = KEY) -> str:
    """What `/v3/token` gives for a key."""
    asked = service.answers("/v3/token?expires_in_seconds=60", headers={"Authorization": key})
    return str(asked.json()["token"])


def refused(service: Service, reason: str) -> float:
    registry = service.gateway.metrics.registry
    return registry.get_sample_value("tympan_sessions_refused_total", {"reason": reason}) or 0.0


def test_one_session_of_a_key_too_many_is_3009_until_another_of_it_ends(start: Start) -> None:
    service = limited(start, max_sessions=1)
    first = service.connects()
    first.hears()
    assert refusal(service) == FULL
    begins(service, key="another-key")
    first.sends({"type": "Terminate"})
    first.hears_end()
    begins(service)


def test_one_new_session_too_many_in_a_minute_is_1008_and_says_when_to_come_again(start: Start) -> None:
    service = limited(start, max_new_per_minute=2)
    begins_and_ends(service)
    begins_and_ends(service)
    code, text = refusal(service)
    assert code == 1008
    head, _, seconds = text.rpartition("try again in ")
    assert head == "Unauthorized Connection: Too many new sessions: at most 2 a minute may begin; "
    assert int(seconds.removesuffix(" s")) in range(50, 61)
    begins(service, key="another-key")


def test_v2_says_4102_for_both(start: Start) -> None:
    service = limited(start, max_sessions=1, max_new_per_minute=2)
    v2 = {"query": "sample_rate=16000", "path": "/v2/realtime/ws"}
    begins(service, **v2)
    assert refusal(service, **v2) == (4102, "This account has exceeded the number of allowed streams")
    service.hang_up()
    assert eventually(service.is_idle)
    begins_and_ends(service)
    code, text = refusal(service, **v2)
    assert code == 4102
    assert text.startswith("This account has exceeded the number of allowed streams: at most 2 a minute may begin; ")


def test_a_token_counts_as_the_key_that_it_was_made_for(start: Start) -> None:
    service = limited(start, max_sessions=1)
    of_this_key, of_another = token(service), token(service, "another-key")
    begins(service, f"token={of_this_key}", key=None)
    assert refusal(service) == FULL
    assert refusal(service, key=of_this_key) == FULL
    begins(service, key=of_another)


def test_a_token_of_v2_counts_too(start: Start) -> None:
    service = limited(start, max_sessions=1)
    asked = service.answers(
        "/v2/realtime/token", "POST", json={"expires_in": 60}, headers={"Authorization": f"Bearer {KEY}"}
    )
    begins(service)
    assert refusal(service, key=str(asked.json()["token"])) == FULL


def test_a_token_of_an_earlier_version_works_and_counts_with_others_that_name_no_key(start: Start) -> None:
    service = limited(start, max_sessions=1)
    claims = {"exp": time.time() + 60, "jti": "a", "max_session_s": 60}
    older = jwt.encode(claims, service.gateway.mint._key, algorithm="HS256")
    begins(service, key=older)
    assert refusal(service, key=older) == FULL
    begins(service)


def test_a_token_does_not_give_its_key_away(start: Start) -> None:
    service = limited(start, max_sessions=1)
    other = start(auth=AuthConfig(api_keys=(KEY,), token_secret="another secret of the tests"))
    ids = [jwt.decode(token(one), options={"verify_signature": False})["key_id"] for one in (service, other)]
    assert ids[0] != ids[1], "without the secret nobody can try keys on it"


def test_on_an_open_server_all_who_show_no_known_key_count_as_one(start: Start) -> None:
    service = limited(start, auth=AuthConfig((KEY,), is_open=True, token_secret=SECRET), max_sessions=1)
    begins(service, key=None)
    assert refusal(service, key="self-hosted") == FULL
    assert refusal(service, key=token(service, "anything")) == FULL
    begins(service, key=KEY)


@pytest.mark.parametrize(("query", "key"), [("", "wrong"), ("sample_rate=7", KEY)])
def test_what_never_began_is_not_counted(start: Start, query: str, key: str) -> None:
    service = limited(start, max_sessions=1, max_new_per_minute=1)
    for _ in range(3):
        refusal(service, query, key=key)
    begins(service)


def test_a_session_that_is_resumed_keeps_its_place_and_is_no_new_one(start: Start) -> None:
    service = limited(start, max_sessions=1, max_new_per_minute=1)
    client = ResumingClient(service)
    client.begins()
    for _ in range(3):
        client.says(200)
        client.is_cut()
        assert refusal(service) == FULL, "its place is taken while it is kept"
        client.resumes()
    client.sends({"type": "Terminate"})
    assert client.hears_end()[0] == 1000
    assert eventually(lambda: held(service) == 0)
    assert refusal(service)[0] == 1008


@pytest.mark.parametrize("how", ["terminates", "leaves", "is cut", "breaks the protocol"])
def test_a_place_is_free_again_however_its_session_ended(start: Start, how: str) -> None:
    service = limited(start, max_sessions=1)
    client = service.connects()
    client.hears()
    match how:
        case "terminates":
            client.sends({"type": "Terminate"})
        case "leaves":
            client.socket.close()
        case "is cut":
            client.socket.socket.close()
        case _:
            client.sends("nonsense")
    assert eventually(service.is_idle)
    begins(service)


def test_refusals_are_counted_by_their_reason(start: Start) -> None:
    service = limited(start, max_sessions=1, max_new_per_minute=2)
    refusal(service, key="wrong")
    refusal(service, "sample_rate=7")
    refusal(service, "resume_key=nothing")
    client = service.connects()
    client.hears()
    refusal(service)
    client.sends({"type": "Terminate"})
    client.hears_end()
    begins_and_ends(service)
    refusal(service)
    reasons = ("credential", "parameter", "not_resumable", "key_sessions", "key_rate", "server_sessions")
    assert [refused(service, reason) for reason in reasons] == [1, 1, 1, 1, 1, 0]


def test_a_full_server_refuses_before_a_key_is_asked(start: Start) -> None:
    service = start(max_sessions=1, key_limits=KeyLimits(max_new_per_minute=2))
    begins(service)
    assert refusal(service) == FULL
    assert refused(service, "server_sessions") == 1
    service.hang_up()
    assert eventually(service.is_idle)
    begins(service)


def held(service: Service) -> int:
    return service.gateway.key_places.active(service.gateway.mint.key_id(KEY))


class UnopenableRecognizer(ScriptedRecognizer):
    def open_stream(self, options: object) -> ScriptedStream:
        raise MemoryError


def test_a_session_whose_stream_can_not_be_opened_gives_its_place_back(start: Start) -> None:
    service = start(recognizer=UnopenableRecognizer(SONNY), key_limits=KeyLimits(max_sessions=1))
    for _ in range(2):
        assert refusal(service) == (3005, "Session Cancelled: An error occurred")
    assert held(service) == 0


def test_a_server_that_stops_gives_every_place_back(start: Start) -> None:
    service = limited(start, max_sessions=2)
    begins(service)
    client = ResumingClient(service)
    client.begins()
    client.is_cut()
    assert is_noticed(service)
    assert held(service) == 2
    asyncio.run_coroutine_threadsafe(service.gateway.drain(1), service.loop).result(PATIENCE_S)
    assert eventually(lambda: held(service) == 0)
