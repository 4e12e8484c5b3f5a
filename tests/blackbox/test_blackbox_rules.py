"""Whole sessions, judged rule by rule (protocol reference, sections 4.1 to 4.11 and 5)."""

from __future__ import annotations

import pytest
from call import broken
from endpoint import Endpoint
from played_sessions import PERFORMANCES, Performance, Player
from session_rules import SESSION_RULES, Rule
from turn_rules import TURN_RULES

CASES = [
    pytest.param(performance, rule, id=f"{performance.name}: {rule.name}")
    for performance in PERFORMANCES
    for rule in (*SESSION_RULES, *TURN_RULES)
    if performance.profile in rule.profiles
]


@pytest.mark.parametrize(("performance", "rule"), CASES)
def test_a_session_keeps_the_rule(service: Endpoint, player: Player, performance: Performance, rule: Rule) -> None:
    played = player.play(service, performance)
    try:
        faults = list(rule.judge(played))
    except (KeyError, TypeError) as error:
        faults = [f"messages that can't be read ({error!r}): see what {SESSION_RULES[0].name!r} says"]
    if faults:
        broken(f"{rule.section}: {rule.name}", "\n      ".join(faults[:5]), played.ended.call)


@pytest.mark.parametrize("performance", PERFORMANCES, ids=lambda performance: performance.name)
def test_a_session_with_speech_is_not_silent(service: Endpoint, player: Player, performance: Performance) -> None:
    """Without this the rules of turns would hold for a service that hears nothing."""
    played = player.play(service, performance)
    has_speech = bool(performance.steps) and "no speech" not in performance.name
    if bool(played.turns()) != has_speech:
        broken("3: speech becomes turns, its absence none", f"{len(played.turns())} turns", played.ended.call)
