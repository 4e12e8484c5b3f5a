"""Whole conversations over a real socket."""

from __future__ import annotations

from typing import Any

from running_service import SONNY, Service, Start, StuckRecognizer, limits


def shape(turn: dict[str, Any]) -> tuple[bool, bool, str, str]:
    """A Turn's flags, its transcript and its words; a `*` marks one that isn't final."""
    words = " ".join(word["text"] + ("" if word["word_is_final"] else "*") for word in turn["words"])
    return turn["end_of_turn"], turn["turn_is_formatted"], turn["transcript"], words


def test_a_formatted_conversation_reads_as_the_protocol_shows_it(service: Service) -> None:
    client = service.connects("sample_rate=16000&format_turns=True")
    begin = client.hears()
    turns = []
    for ms in (400, 200, 200):  # a client that waits sees every partial; one that doesn't, the newest
        client.says(ms)
        turns.append(client.hears())
    client.says(1200)
    client.sends({"type": "Terminate"})
    messages, code, reason = client.hears_end()
    turns += [message for message in messages if message["type"] == "Turn"]

    assert begin["type"] == "Begin"
    assert type(begin["expires_at"]) is int
    assert [shape(turn) for turn in turns[:3]] == [
        (False, False, "", "hi*"),
        (False, False, "", "hi* my*"),
        (False, False, "hi", "hi my* name*"),
    ]
    assert [shape(turn) for turn in turns[-2:]] == [
        (True, False, "hi my name is sonny", "hi my name is sonny"),
        (True, True, "Hi, my name is Sonny.", "Hi, my name is Sonny."),
    ]
    assert {turn["turn_order"] for turn in turns} == {0}
    assert [turn["end_of_turn"] for turn in turns].count(True) == 2
    assert messages[-1]["type"] == "Termination"
    assert messages[-1]["audio_duration_seconds"] == 2
    assert type(messages[-1]["session_duration_seconds"]) is int
    assert (code, reason) == (1000, "Session Ended")


def test_nonsense_after_terminate_takes_no_word_away(start: Start) -> None:
    recognizer = StuckRecognizer()
    client = start(recognizer=recognizer).connects()
    client.hears()
    client.says(1000)
    for message in ({"type": "Terminate"}, "{{{", {"type": "Terminate"}, {"type": "Nothing"}, b"\0" * 999):
        client.sends(message)
    client.is_answered()  # all of it has come before the session is over
    recognizer.is_released.set()
    messages, code, _ = client.hears_end()
    assert [message["transcript"] for message in messages if message.get("end_of_turn")]
    assert (messages[-1]["type"], code) == ("Termination", 1000)


def test_without_format_turns_a_turn_has_one_final(service: Service) -> None:
    client = service.connects("sample_rate=16000")
    client.hears()
    client.says(2000)
    client.sends({"type": "Terminate"})
    messages, _, _ = client.hears_end()
    finals = [shape(message) for message in messages if message.get("end_of_turn")]
    assert finals == [(True, False, "hi my name is sonny", "hi my name is sonny")]


def test_audio_cut_anywhere_gives_the_same_final(service: Service) -> None:
    finals = []
    for size in (1, 33, 1601, 64_000):
        client = service.connects()
        client.hears()
        audio = b"\0" * 64_000
        for start in range(0, len(audio), size) if size > 1 else (0,):
            client.sends(audio[start : start + size] if size > 1 else audio)
            client.sends(b"")
        client.sends({"type": "Terminate"})
        messages, code, _ = client.hears_end()
        assert code == 1000
        assert messages[-1]["audio_duration_seconds"] == 2
        finals.append([message for message in messages if message.get("end_of_turn")])
    assert all(final == finals[0] for final in finals)
    assert finals[0]


def test_mulaw_at_8_khz_has_the_same_clock(service: Service) -> None:
    client = service.connects("encoding=pcm_mulaw&sample_rate=8000")
    client.hears()
    client.sends(b"\xff" * 16_000)
    client.sends({"type": "Terminate"})
    messages, _, _ = client.hears_end()
    final = next(message for message in messages if message.get("end_of_turn"))
    assert [word["start"] for word in final["words"]] == [word.start_ms for word in SONNY.words]
    assert messages[-1]["audio_duration_seconds"] == 2


def test_force_endpoint_directly_before_terminate_loses_nothing(service: Service) -> None:
    client = service.connects()
    client.hears()
    client.says(1400)
    client.sends({"type": "ForceEndpoint"})
    client.sends({"type": "Terminate"})
    messages, code, _ = client.hears_end()
    finals = [message["transcript"] for message in messages if message.get("end_of_turn")]
    assert finals == ["hi my name is sonny"]
    assert code == 1000


def test_ten_minutes_sent_at_once_are_heard_to_the_end(start: Start) -> None:
    service = start(session=limits(max_backlog_ms=700_000))
    client = service.connects()
    client.hears()
    for _ in range(60):
        client.sends(b"\0" * 320_000)
    client.sends({"type": "Terminate"})
    messages, code, _ = client.hears_end()
    assert code == 1000
    assert messages[-1]["audio_duration_seconds"] == 600


def test_an_update_of_the_configuration_acts_and_is_not_answered(service: Service) -> None:
    client = service.connects()
    client.hears()
    client.sends({"type": "UpdateConfiguration", "format_turns": True})
    client.sends({"type": "KeepAlive"})
    client.says(2000)
    client.sends({"type": "Terminate"})
    messages, _, _ = client.hears_end()
    assert {message["type"] for message in messages} == {"Turn", "Termination"}
    assert [message["turn_is_formatted"] for message in messages if message.get("end_of_turn")] == [
        False,
        True,
    ]


def test_two_clients_never_hear_each_other(service: Service) -> None:
    one, other = service.connects(), service.connects("format_turns=true")
    began = {one.hears()["id"], other.hears()["id"]}
    one.says(1000)
    other.says(2000)
    one.sends({"type": "Terminate"})
    other.sends({"type": "Terminate"})
    assert len(began) == 2
    assert one.hears_end()[0][-1]["audio_duration_seconds"] == 1
    assert other.hears_end()[0][-1]["audio_duration_seconds"] == 2


def test_the_root_path_serves_v3_too(service: Service) -> None:
    for path in ("/", "/v3/ws/", "/v3/ws"):
        client = service.connects(path=path)
        assert client.hears()["type"] == "Begin"
        client.socket.close()


U3 = "speech_model=universal-3-6-pro&sample_rate=16000"


def told(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Each message's type, and what a turn says, an `E` before its end."""
    return [
        (message["type"], ("E " if message["end_of_turn"] else "") + message["transcript"])
        if message["type"] == "Turn"
        else (message["type"], "")
        for message in messages
    ]


def test_a_u3_conversation_announces_speech_and_has_one_formatted_final(service: Service) -> None:
    client = service.connects(U3)
    assert client.hears()["configuration"]["mode"] == "balanced"
    client.says(2000)
    client.sends({"type": "Terminate"})
    messages, code, _ = client.hears_end()
    assert told(messages) == [
        ("SpeechStarted", ""),
        ("Turn", "Hi, my name—"),
        ("Turn", "Hi, my name is Sonny—"),
        ("Turn", "E Hi, my name is Sonny."),
        ("Termination", ""),
    ]
    final = messages[3]
    assert final["turn_is_formatted"]
    assert final["utterance"] == final["transcript"] == " ".join(word["text"] for word in final["words"])
    assert messages[0]["timestamp"] == 100
    assert code == 1000


def test_a_u3_turn_may_be_forced_and_what_follows_opens_the_next(service: Service) -> None:
    client = service.connects(U3 + "&min_turn_silence=100&max_turn_silence=100")
    client.hears()
    client.says(700)
    client.sends({"type": "ForceEndpoint"})
    client.sends({"type": "ForceEndpoint"})
    client.says(1300)
    client.sends({"type": "Terminate"})
    messages, _, _ = client.hears_end()
    finals = [text for kind, text in told(messages) if text.startswith("E ")]
    assert finals == ["E Hi, my name", "E Is Sonny."]
    assert [message["turn_order"] for message in messages if message["type"] == "Turn" and message["end_of_turn"]] == [
        0,
        1,
    ]


def test_a_u3_turn_that_is_open_at_terminate_is_told(service: Service) -> None:
    client = service.connects(U3)
    client.hears()
    client.says(500)
    client.sends({"type": "Terminate"})
    messages, _, _ = client.hears_end()
    assert told(messages) == [("SpeechStarted", ""), ("Turn", "E Hi, my"), ("Termination", "")]


def test_silence_is_acknowledged_where_asked_for(service: Service) -> None:
    client = service.connects(U3 + "&acknowledge_silence=true&include_partial_turns=false&language_detection=true")
    client.hears()
    client.says(4000)
    client.sends({"type": "Terminate"})
    messages, _, _ = client.hears_end()
    assert [kind for kind, _ in told(messages)] == ["SpeechStarted", "Turn", "Silence", "Silence", "Termination"]
    stretches = [(m["start_ms"], m["end_ms"]) for m in messages if m["type"] == "Silence"]
    assert stretches == [(1400, 2400), (2400, 3400)]
    assert messages[1]["language_code"] == "en"


def test_a_context_that_is_too_long_ends_a_u3_session_with_3006(service: Service) -> None:
    client = service.connects(U3 + "&agent_context=Hello")
    client.hears()
    client.sends({"type": "UpdateConfiguration", "agent_context": "a" * 1751})
    messages, code, _ = client.hears_end()
    assert code == 3006
    assert "Max 1750 characters" in messages[-1]["error"]
