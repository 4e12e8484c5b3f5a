"""The same rules, judged on what our own server says with its real engine and a recording of speech."""

from __future__ import annotations

from dataclasses import replace

import pytest
import test_blackbox_control
import test_blackbox_rules
from endpoint import Endpoint
from own_servers import KEY, Servers
from played_sessions import PERFORMANCES, Performance, Player
from session_rules import Rule
from speech import default_recording

PLAYED = ("us formatted", "us forced at the end", "u3")
CASES = [case for case in test_blackbox_rules.CASES if case.values[0].name in PLAYED]


@pytest.fixture(scope="module")
def listening(ours: None, servers: Servers) -> Endpoint:
    """Our own server with the engine that listens: what it hears and says, the suite doesn't know."""
    if default_recording() is None:
        pytest.skip("the package with the model and the recording is not installed")
    endpoint = servers.start("--api-key", KEY).endpoint
    return replace(endpoint, is_ours=False, patience_s=30.0)


@pytest.mark.parametrize(("performance", "rule"), CASES)
def test_a_session_keeps_the_rule(listening: Endpoint, player: Player, performance: Performance, rule: Rule) -> None:
    test_blackbox_rules.test_a_session_keeps_the_rule(listening, player, performance, rule)


@pytest.mark.parametrize("performance", [row for row in PERFORMANCES if row.name in PLAYED], ids=lambda row: row.name)
def test_a_session_with_speech_is_not_silent(listening: Endpoint, player: Player, performance: Performance) -> None:
    test_blackbox_rules.test_a_session_with_speech_is_not_silent(listening, player, performance)


def test_force_endpoint_ends_the_open_turn_without_more_audio(listening: Endpoint, player: Player) -> None:
    check = test_blackbox_control.test_force_endpoint_ends_the_open_turn_without_more_audio
    check(listening, player, test_blackbox_control.US)
    listening.hang_up()
