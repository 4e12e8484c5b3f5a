"""What control messages do to speech that any service hears (protocol reference, sections 3 and 6.4).

Words are told some time after they were said: by then a far service has been sent more audio, and a turn may have ended
in it. What is checked holds all the same.
"""

from __future__ import annotations

import pytest
from call import Call, Message, broken
from endpoint import Endpoint
from played_sessions import Player

US = "speech_model=universal-streaming-english"
SPEECH_MS = 10_000
"""Within which a word must come, and with words up to its end."""


def talking(endpoint: Endpoint, player: Player, query: str) -> tuple[Call, bytes]:
    """A session that has told words of an open turn, and speech that is left."""
    call, speech = endpoint.calls(query), player.speech(endpoint, SPEECH_MS)
    call.hears_begin()
    sent_bytes = call.plays_until_words_come(speech)
    return call, speech[sent_bytes:]


def forced(call: Call) -> Message:
    """No audio comes meanwhile, and silence is measured in audio: only what is asked for can end a turn."""
    call.sends({"type": "ForceEndpoint"})
    return call.hears_final("3: ForceEndpoint ends the open turn")


@pytest.mark.parametrize("query", [US, f"{US}&format_turns=true", "speech_model=u3-rt-pro"])
def test_force_endpoint_ends_the_open_turn_without_more_audio(endpoint: Endpoint, player: Player, query: str) -> None:
    call, _ = talking(endpoint, player, query)
    final = forced(call)
    if not final.get("transcript"):
        broken("3: a forced final is never empty", str(final), call)
    call.terminates()


def test_an_update_of_format_turns_shows_in_finals_from_then_on(endpoint: Endpoint, player: Player) -> None:
    call, speech = talking(endpoint, player, US)
    call.sends({"type": "UpdateConfiguration", "format_turns": True})
    forced(call)
    call.plays(speech)
    call.terminates()
    finals = [turn["turn_is_formatted"] for turn in call.messages if turn.get("end_of_turn")]
    if True not in finals:
        broken("3: format_turns applies from now on", f"turn_is_formatted of the finals: {finals}", call)
