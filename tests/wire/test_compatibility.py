"""The compatibility report says something of all there is, and what it says is what the code does."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args

import pytest

from tympan.core.config import SessionConfig
from tympan.core.endpoint import endpointing_for
from tympan.core.errors import BadParameter
from tympan.wire.close_codes import V2_NEVER_SENT, V2_RULES, V3_RULES
from tympan.wire.compatibility import Address, render
from tympan.wire.parameter import State
from tympan.wire.v2 import hosted as v2_hosted
from tympan.wire.v2 import messages as v2_messages
from tympan.wire.v2 import params as v2_params
from tympan.wire.v2.client_messages import FORMS
from tympan.wire.v3 import hosted as v3_hosted
from tympan.wire.v3 import messages as v3_messages
from tympan.wire.v3.modes import U3_TURN
from tympan.wire.v3.parameters import PARAMETERS
from tympan.wire.v3.params import parse_query

WEBSOCKET_LAYER = {"1002", "1007", "1009"}
"""Codes of the layer below, which no rule of ours is about."""

ADDRESS = Address("GET", ("/here", "/there"), State.EXTENSION, "ours", "nothing")


def rows(section: str) -> dict[str, list[list[str]]]:
    """Cells after the first one of each row of a section, by the first; codes may have several rows."""
    text = render([ADDRESS]).split(f"\n## {section}\n")[1].split("\n## ")[0]
    found: dict[str, list[list[str]]] = {}
    for line in [line for line in text.splitlines() if line.startswith("|")][2:]:
        name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        found.setdefault(name, []).append(cells)
    return found


@pytest.mark.parametrize(
    ("section", "parameters"),
    [("v3: connection parameters", PARAMETERS), ("v2: connection parameters", v2_params.PARAMETERS)],
)
def test_every_parameter_is_there_with_its_state(section, parameters):
    states = {name: cells[0] for name, (cells,) in rows(section).items()}
    assert states == {", ".join(f"`{name}`" for name in row.names): row.state.value for row in parameters}


@pytest.mark.parametrize(
    ("section", "union", "names"),
    [
        (
            "v3: client messages",
            v3_messages.ClientMessage,
            v3_messages.CLIENT_TYPES | v3_messages.RESUME_CLIENT_TYPES,
        ),
        (
            "v3: server messages",
            v3_messages.ServerMessage,
            v3_messages.SERVER_TYPES | v3_messages.RESUME_SERVER_TYPES,
        ),
        (
            "v2: server messages",
            v2_messages.ServerMessage,
            v2_messages.SERVER_TYPES | {"Error": v2_messages.Error},
        ),
    ],
)
def test_every_message_is_there(section, union, names):
    assert set(get_args(union)) == set(names.values())
    assert {f"`{name}`" for name in names} <= set(rows(section))


def test_every_form_of_a_v2_client_is_there():
    assert {f"`{form}`" for form in FORMS} <= set(rows("v2: client messages"))


def test_a_message_is_the_same_an_extension_or_not_yet_there_by_who_has_it():
    told = {name.strip("`"): cells[0] for name, (cells,) in rows("v3: server messages").items()}
    ours = {*v3_messages.SERVER_TYPES, *v3_messages.RESUME_SERVER_TYPES}
    theirs = set(v3_hosted.SERVER_MESSAGES)
    assert {name for name, state in told.items() if state == "not yet"} == theirs - ours
    assert {name for name, state in told.items() if state == "extension"} == ours - theirs
    assert {name for name, state in told.items() if state == "never sent"} == {"Warning"}
    assert set(told) == ours | theirs
    assert "SpeakerRevision" in theirs - ours


def test_differences_are_those_of_messages_that_there_are():
    ours = {*v3_messages.CLIENT_TYPES, *v3_messages.SERVER_TYPES}
    extension = {*v3_messages.RESUME_CLIENT_TYPES, *v3_messages.RESUME_SERVER_TYPES}
    assert set(v3_hosted.DIFFERENCES) <= ours | extension
    assert set(v2_hosted.DIFFERENCES) <= set(v2_messages.SERVER_TYPES)
    for name, difference in (v3_hosted.DIFFERENCES | v2_hosted.DIFFERENCES).items():
        assert f"| `{name}` | " in render([])
        assert f" | {difference} | " in render([])


@pytest.mark.parametrize(("section", "rules"), [("v3: close codes", V3_RULES), ("v2: close codes", V2_RULES)])
def test_every_row_of_the_tables_of_close_codes_is_there(section, rules):
    found = rows(section)
    for rule in rules:
        assert [rule.when, rule.difference] in [[when, difference] for when, _, difference in found[str(rule.code)]]
    count = sum(len(cells) for code, cells in found.items() if code not in WEBSOCKET_LAYER)
    assert count == 1 + len(rules) + (len(V2_NEVER_SENT) if rules is V2_RULES else 0)


def test_every_code_of_the_hosted_service_is_the_same_or_never_sent_and_others_are_extensions():
    by_code = {section: rows(f"{section}: close codes") for section in ("v3", "v2")}
    states = {
        section: {code: {cells[1] for cells in rows} for code, rows in found.items()}
        for section, found in by_code.items()
    }
    assert {code for code, state in states["v3"].items() if state == {"same"}} == set(map(str, v3_hosted.CLOSE_CODES))
    ours_of_v3 = WEBSOCKET_LAYER | {"4004", "4103"}
    assert {code for code, state in states["v3"].items() if state == {"extension"}} == ours_of_v3
    assert {code for code, state in states["v2"].items() if state == {"same"}} == set(map(str, v2_hosted.CLOSE_CODES))
    assert {code for code, state in states["v2"].items() if state == {"never sent"}} == set(map(str, V2_NEVER_SENT))
    assert {code for code, state in states["v2"].items() if state == {"extension"}} == WEBSOCKET_LAYER | {"1011"}


def test_addresses_are_those_that_are_given():
    assert rows("Addresses") == {"GET `/here`, `/there`": [["extension", "ours", "nothing"]]}


@pytest.mark.parametrize("name", ["min_turn_silence", "max_turn_silence"])
def test_silences_of_u3_say_how_soon_a_turn_ends_that_is_asked_to_end_after_100_ms(name):
    asked = replace(U3_TURN, min_silence_ms=100, max_silence_ms=100)
    soonest_ms = min(rule.min_silence_ms for rule in endpointing_for(asked).rules)
    assert soonest_ms > 100
    [row] = [row for row in PARAMETERS if row.name == name]
    assert f" {soonest_ms}" in row.difference
    assert f" {soonest_ms} ms" in row.summary or f" {soonest_ms}," in row.summary


@pytest.mark.parametrize("name", ["mode", "turn_left_pad_ms", "filter_profanity", "voice_focus_threshold"])
def test_where_the_protocol_leaves_numbers_or_words_open_ours_are_called_ours(name):
    [row] = [row for row in PARAMETERS if row.name == name]
    assert row.state is State.SAME
    assert re.search(r"\b(is|are) ours\b", row.difference)


OUT_OF_RANGE = "a number out of range, else clamped"
NO_ARRAY = "a list that isn't one JSON array"
NOT_U3 = "with a model that isn't U3"


def is_refused(query: str, *, strict: bool) -> bool:
    try:
        parse_query(query, defaults=SessionConfig(), strict=strict)
    except BadParameter:
        return True
    return False


@pytest.mark.parametrize("row", [row for row in PARAMETERS if row.strict_note], ids=lambda row: row.name)
def test_what_strict_is_said_to_refuse_is_refused_by_strict_alone(row):
    queries = {
        OUT_OF_RANGE: f"{row.name}=-1",
        NO_ARRAY: f"{row.name}=en",
        NOT_U3: f"{row.name}={'balanced' if row.name == 'mode' else 'x'}",
        "an unknown or retired name": f"{row.name}=u3-pro",
    }
    for note in row.strict_note.split("; "):
        assert is_refused(queries[note], strict=True)
        assert not is_refused(queries[note], strict=False)


@pytest.mark.parametrize("row", [row for row in PARAMETERS if not row.strict_note], ids=lambda row: row.name)
def test_where_nothing_is_said_of_strict_it_refuses_no_more(row):
    for text in ("-1", "1", "999999999", "x", "true", "hash", "pcm_mulaw", '["en"]', "a,b", "{}"):
        query = f"{row.name}={text}"
        assert is_refused(query, strict=True) == is_refused(query, strict=False)


def test_links_of_parameters_lead_to_the_reference():
    assert "](#" not in render([])
    assert "](protocol.md#resuming)" in render([])
