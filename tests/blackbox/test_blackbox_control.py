"""What control messages do to speech that any service hears (protocol reference, sections 3 and 6.4)."""

from __future__ import annotations

import time

import pytest
from call import Call, Message, broken
from endpoint import Endpoint
from played_sessions import Player

US = "speech_model=universal-streaming-english"
FORCED_WITHIN_S = 2.0
"""The hosted service takes about 0.3 s. Whoever is given audio faster than it is spoken isn't timed."""
SPEECH_MS = 10_000
"""Within which a word must come."""


def talking(endpoint: Endpoint, player: Player, query: str) -> Call:
    """A session whose first turn is open."""
    call = endpoint.calls(query)
    call.hears_begin()
    call.plays_until_words_come(player.speech(endpoint, SPEECH_MS))
    return call


def forced(call: Call) -> Message:
    asked_at = time.monotonic()
    call.sends({"type": "ForceEndpoint"})
    final = call.hears_final("3: ForceEndpoint ends the open turn")
    took_s = time.monotonic() - asked_at
    if call.realtime_factor and took_s > FORCED_WITHIN_S:
        broken("3: ForceEndpoint ends the open turn now", f"the final came after {took_s:.1f} s", call)
    return final


@pytest.mark.parametrize("query", [US, f"{US}&format_turns=true", "speech_model=u3-rt-pro"])
def test_force_endpoint_ends_the_open_turn_at_once(endpoint: Endpoint, player: Player, query: str) -> None:
    call = talking(endpoint, player, query)
    final = forced(call)
    if not final.get("transcript"):
        broken("3: a forced final is never empty", str(final), call)
    call.terminates()


def test_an_update_of_format_turns_shows_in_the_next_final(endpoint: Endpoint, player: Player) -> None:
    call = talking(endpoint, player, US)
    call.sends({"type": "UpdateConfiguration", "format_turns": True})
    forced(call)
    call.terminates()
    finals = [turn["turn_is_formatted"] for turn in call.messages if turn.get("end_of_turn")]
    if True not in finals:
        broken("3: format_turns applies from now on", f"turn_is_formatted of the finals: {finals}", call)
