"""The suite can fail: servers that are wrong in one way each are caught by the check that is meant to."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import test_blackbox_audio
import test_blackbox_auth
import test_blackbox_client_messages
import test_blackbox_control
import test_blackbox_parameters
import test_blackbox_rules
import test_blackbox_sequences
from call import Call, Message
from endpoint import Endpoint, Strictness
from hosted_replay import KEY, Behaviour, HostedReplay, altering, altering_words
from played_sessions import PERFORMANCES, Player
from session_rules import SESSION_RULES
from speech_track import SpeechTrack
from turn_rules import TURN_RULES
from update_rows import UPDATE_ROWS

TRACK = SpeechTrack.load("sonny")
Check = Callable[[Endpoint, Player], None]
PATIENCE_S = 60.0
UNANSWERED_S = 1.0
"""For an answer that will not come."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Speech whose audio tells the double where it stands."""
    path = tmp_path_factory.mktemp("wrong") / "speech.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(TRACK.audio())
    return path


class ImpatientCall(Call):
    """A client that waits for nothing once it has sent a message which the service ignores."""

    unanswered = ""

    def sends(self, message: Message | str | bytes) -> None:
        super().sends(message)
        if isinstance(message, dict) and message["type"] == self.unanswered:
            self.patience_s = UNANSWERED_S


@dataclass
class ImpatientEndpoint(Endpoint):
    """A service that ignores messages of a type."""

    unanswered: str = ""

    def calls(self, *arguments: Any, **more: Any) -> Call:
        call = ImpatientCall(**vars(super().calls(*arguments, **more)))
        call.unanswered = self.unanswered
        return call


@contextmanager
def serving(behaviour: Behaviour, unanswered: str = "") -> Iterator[Endpoint]:
    """The small double of the hosted service, wrong in some way."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="wrong server")
    thread.start()
    replay = HostedReplay(TRACK, behaviour=behaviour)
    try:
        asyncio.run_coroutine_threadsafe(replay.__aenter__(), loop).result(PATIENCE_S)
        endpoint = ImpatientEndpoint(
            replay.url, KEY, Strictness.STRICT, realtime_factor=0, patience_s=PATIENCE_S, unanswered=unanswered
        )
        try:
            yield endpoint
        finally:
            endpoint.hang_up()
            asyncio.run_coroutine_threadsafe(replay.__aexit__(None, None, None), loop).result(PATIENCE_S)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_S)
        loop.close()


def rule(name: str, performance: str = "us formatted") -> Check:
    """The check of a rule in a performance."""
    played = next(row for row in PERFORMANCES if row.name == performance)
    judged = next(row for row in (*SESSION_RULES, *TURN_RULES) if row.name == name)
    return lambda endpoint, player: test_blackbox_rules.test_a_session_keeps_the_rule(endpoint, player, played, judged)


def bad_update(endpoint: Endpoint, player: Player) -> None:
    row = next(row for row in UPDATE_ROWS if row.name == "max_turn_silence")
    test_blackbox_client_messages.test_an_update_with_a_bad_value_is_3006(endpoint, row, "fast")


def wrong_key(endpoint: Endpoint, player: Player) -> None:
    test_blackbox_auth.test_a_wrong_key_is_1008(endpoint, "wrong")


def bad_value(endpoint: Endpoint, player: Player) -> None:
    test_blackbox_parameters.test_a_bad_value_is_3006_before_begin(endpoint, "sample_rate", "sample_rate=7000")


def bad_json(endpoint: Endpoint, player: Player) -> None:
    test_blackbox_client_messages.test_an_unusable_text_is_3006(endpoint, "hello", "Invalid JSON")


def long_chunk(endpoint: Endpoint, player: Player) -> None:
    test_blackbox_audio.test_a_chunk_above_10_s_is_3007_everywhere(endpoint)


def force(endpoint: Endpoint, player: Player) -> None:
    check = test_blackbox_control.test_force_endpoint_ends_the_open_turn_without_more_audio
    check(endpoint, player, test_blackbox_control.US)


def update(endpoint: Endpoint, player: Player) -> None:
    test_blackbox_control.test_an_update_of_format_turns_shows_in_finals_from_then_on(endpoint, player)


def expiry(endpoint: Endpoint, player: Player) -> None:
    test_blackbox_sequences.test_begin_expires_in_unix_seconds_at_most_3_hours_from_now(endpoint)


def dropping(is_dropped: Callable[[Message], bool]) -> Behaviour:
    return Behaviour(alter=lambda message: None if is_dropped(message) else message)


def shifted(message: Message) -> Message:
    """Times that run ahead of the audio."""
    if message["type"] != "Turn":
        return message
    return {**message, "words": [{**word, "end": word["end"] + 5000} for word in message["words"]]}


def rewritten(message: Message) -> Message:
    """The first word changes with the number of words."""
    if message["type"] != "Turn" or message["end_of_turn"] or len(message["words"]) < 2:
        return message
    first, *rest = message["words"]
    return {**message, "words": [{**first, "text": f"w{len(rest)}"}, *rest]}


def is_final(message: Message) -> bool:
    return message.get("end_of_turn") is True and not message.get("turn_is_formatted")


ANYTHING = Behaviour(accepts_anything=True)


@dataclass(frozen=True)
class Wrong:
    """What a server does wrong, the check that must tell it, and what it must say."""

    behaviour: Behaviour
    check: Check
    says: str
    came: str
    unanswered: str = ""
    """The type of message that it ignores; nothing is waited for after that."""


WRONG = {
    "lets anybody in": Wrong(Behaviour(accepts_any_key=True), wrong_key, "1.1", "the session began all the same"),
    "takes any value": Wrong(ANYTHING, bad_value, "2.1", "the session began all the same"),
    "takes any text": Wrong(ANYTHING, bad_json, "3: a text that is no message", "no Error as the last message"),
    "takes any update": Wrong(ANYTHING, bad_update, "3: an invalid value", "no Error as the last message"),
    "takes chunks of any length": Wrong(ANYTHING, long_chunk, "3007", "no Error as the last message"),
    "refuses with another code": Wrong(altering("Error", error_code=4001), wrong_key, "Error 1008", "Error 4001"),
    "refuses with other words": Wrong(altering("Error", error="No."), wrong_key, "Invalid API key", "'No.'"),
    "refuses without words": Wrong(
        dropping(lambda message: message["type"] == "Error"), wrong_key, "1.1", "no Error as the last message"
    ),
    "tells no expiry": Wrong(
        altering("Begin", expires_at=...), rule("messages hold what they should"), "4.1", "expires_at is missing"
    ),
    "expires in milliseconds": Wrong(altering("Begin", expires_at=1_795_367_722_000), expiry, "Unix seconds", "s from"),
    "has an id that is no UUID": Wrong(
        altering("Begin", id="seven"), rule("messages hold what they should"), "4.1", "no UUID"
    ),
    "tells times as floats": Wrong(
        altering_words(start=1.5), rule("messages hold what they should"), "4.1", "words[0].start is 1.5, expected int"
    ),
    "writes null": Wrong(
        altering("Turn", language_code=None), rule("messages hold what they should"), "4.1", "language_code is null"
    ),
    "has an error key": Wrong(
        altering("Turn", error="none"), rule("messages hold what they should"), "4.1", "the key 'error'"
    ),
    "begins twice": Wrong(
        altering("Termination", type="Begin"), rule("Begin comes first and once"), "4.1", "Begin came 2 times"
    ),
    "does not end": Wrong(
        Behaviour(obeys=lambda kind: kind != "Terminate"),
        rule("a final is never empty"),
        "4.11",
        "stays open",
        unanswered="Terminate",
    ),
    "closes without Termination": Wrong(
        dropping(lambda message: message["type"] == "Termination"),
        rule("Termination comes last, then 1000"),
        "4.4",
        "Termination came 0 times",
    ),
    "closes with another code": Wrong(
        Behaviour(close_code=1011), rule("Termination comes last, then 1000"), "4.11", "close code 1011"
    ),
    "miscounts audio": Wrong(
        altering("Termination", audio_duration_seconds=99), rule("Termination counts the audio"), "4.4", "99 s"
    ),
    "counts turns from 3": Wrong(altering("Turn", turn_order=3), rule("turn_order counts from 0"), "4.3", "[3]"),
    "never formats": Wrong(
        altering("Turn", turn_is_formatted=False), rule("every turn ends exactly once"), "5.4", "[False, False]"
    ),
    "forgets the raw final": Wrong(dropping(is_final), rule("every turn ends exactly once"), "5.4", "[True]"),
    "goes on with an ended turn": Wrong(
        Behaviour(alter=lambda message: {**message, "end_of_turn": not message.get("turn_is_formatted")}),
        rule("nothing of a turn follows its end"),
        "4.11",
        "end_of_turn is",
    ),
    "says nothing at the end of a turn": Wrong(
        altering("Turn", transcript="", words=[]), rule("a final is never empty"), "5.4", "an empty final"
    ),
    "says other words than it shows": Wrong(
        altering("Turn", transcript="hello"), rule("a final reads like its words"), "5.1", "transcript 'hello'"
    ),
    "lets words run out of the audio": Wrong(
        Behaviour(alter=shifted), rule("times are in order and inside the audio"), "5.2", " is at "
    ),
    "changes final words": Wrong(Behaviour(alter=rewritten), rule("a final word stays as it is"), "5.1", "became"),
    "leaves final words open": Wrong(
        altering_words(word_is_final=False), rule("words of a final are final"), "5.1", "words that aren't final"
    ),
    "is surer than sure": Wrong(altering_words(confidence=1.5), rule("confidences are from 0 to 1"), "4.3", "1.5"),
    "warns": Wrong(altering("Turn", type="Warning"), rule("nothing comes unasked"), "0.1 rule 5", "nobody asked for"),
    "announces no speech": Wrong(
        dropping(lambda message: message["type"] == "SpeechStarted"),
        rule("speech starts once a turn, right before it", "u3"),
        "4.2",
        "began without SpeechStarted",
    ),
    "makes words of a U3 partial final": Wrong(
        altering_words(word_is_final=True),
        rule("no word of a partial is final", "u3"),
        "5.1",
        "final words in a partial",
    ),
    "does not force": Wrong(
        Behaviour(obeys=lambda kind: kind != "ForceEndpoint"),
        force,
        "3: ForceEndpoint",
        "nothing for 1 s",
        unanswered="ForceEndpoint",
    ),
    "does not update": Wrong(
        Behaviour(obeys=lambda kind: kind != "UpdateConfiguration"), update, "3: format_turns", "finals: [False, "
    ),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_server_that_is_wrong_is_caught(wrong: Wrong, recording: Path) -> None:
    with serving(wrong.behaviour, wrong.unanswered) as endpoint, pytest.raises(pytest.fail.Exception) as caught:
        wrong.check(endpoint, Player(recording))
    told, _, rest = str(caught.value).partition("\ncame: ")
    assert wrong.says in told
    assert wrong.came in rest


@pytest.fixture(scope="module")
def right() -> Iterator[Endpoint]:
    """The same double, which does nothing wrong."""
    with serving(Behaviour()) as endpoint:
        yield endpoint


@pytest.mark.parametrize("name", WRONG)
def test_the_same_check_passes_a_server_that_is_right(name: str, right: Endpoint, recording: Path) -> None:
    WRONG[name].check(right, Player(recording))
    right.hang_up()


def conformance(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The suite as its user starts it, on a part that is quick."""
    part = ("test_blackbox_audio.py", "-k", "empty_binary", "-q", "-p", "no:cacheprovider")
    command = [sys.executable, "-m", "pytest", *part, *arguments]
    return subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=300)


def test_the_command_says_what_is_wrong_where_and_by_its_exit_code() -> None:
    with serving(Behaviour(close_code=1011)) as endpoint:
        told = conformance("--endpoint", endpoint.url, "--key", KEY)
    assert told.returncode == 1
    assert "the reference says: 6.5: Terminate is answered by Termination and close code 1000" in told.stdout
    assert "close code 1011 'Session Ended'" in told.stdout
    assert "where: /v3/ws" in told.stdout
    assert "Traceback" not in told.stdout


def test_the_command_passes_a_service_that_is_right(right: Endpoint) -> None:
    told = conformance("--endpoint", right.url, "--key", KEY)
    assert told.returncode == 0, told.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--endpoint", "http://127.0.0.1:1", "--key", "k"), "expected ws://HOST:PORT or wss://HOST"),
        (("--endpoint", "ws://127.0.0.1:1", "--key", "k"), "nobody answers at 127.0.0.1:1"),
        (("--endpoint", "ws://127.0.0.1:1"), "--key is missing"),
    ],
)
def test_an_endpoint_that_cannot_be_used_is_one_line(arguments: tuple[str, ...], says: str) -> None:
    told = conformance(*arguments)
    assert told.returncode == pytest.ExitCode.USAGE_ERROR
    assert says in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1
