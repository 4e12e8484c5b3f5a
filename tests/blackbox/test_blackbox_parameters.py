"""Connection parameters, value by value (protocol reference, sections 2.1 to 2.4)."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from call import Call, broken, short
from endpoint import Endpoint, Strictness
from parameter_rows import (
    IGNORED_ON_US,
    ODD_QUERIES,
    OWN_ROWS,
    PARAMETER_ROWS,
    REFUSED_ON_US_WHEN_STRICT,
    U3,
    U3_MODELS,
    US_MODELS,
    Row,
)

PREFIX = "User Input Validation Error: Invalid '"


def values(rows: tuple[Row, ...], kind: str) -> list[object]:
    """One case a value: the parameter, and the query that gives it."""
    return [
        pytest.param(name, f"{name}={quote(value)}{row.beside and '&' + row.beside}", id=f"{name}={short(value, 40)}")
        for row in rows
        for name in (row.name, *row.aliases)
        for value in getattr(row, kind)
    ]


def begins(endpoint: Endpoint, query: str) -> None:
    call = endpoint.calls(query)
    call.hears_begin()
    call.terminates()


def is_refused(call: Call, name: str, says: str = "2.1: a value that can't be used is Error 3006") -> None:
    call.hears_refusal(says).must_be(3006, PREFIX + name, says, is_before_begin=True)


@pytest.mark.parametrize(("name", "query"), values(PARAMETER_ROWS, "taken"))
def test_a_good_value_begins_a_session(endpoint: Endpoint, name: str, query: str) -> None:
    begins(endpoint, query)


@pytest.mark.parametrize(("name", "query"), values(PARAMETER_ROWS, "refused"))
def test_a_bad_value_is_3006_before_begin(endpoint: Endpoint, name: str, query: str) -> None:
    is_refused(endpoint.calls(query), name)


@pytest.mark.parametrize(("name", "query"), values(PARAMETER_ROWS, "clamped"))
def test_a_value_out_of_range_is_taken_or_when_strict_refused(endpoint: Endpoint, name: str, query: str) -> None:
    if endpoint.strictness is Strictness.UNKNOWN:
        pytest.skip("give --expect-profile: lenient services take it, strict ones refuse it")
    if endpoint.is_strict:
        is_refused(endpoint.calls(query), name, "2.2: values outside a documented range are 3006")
    else:
        begins(endpoint, query)


@pytest.mark.parametrize(("name", "query"), values(PARAMETER_ROWS, "unserved"))
def test_what_is_not_served_is_refused_and_never_ignored(endpoint: Endpoint, name: str, query: str) -> None:
    if not endpoint.is_ours:
        pytest.skip("a service may well serve it")
    is_refused(endpoint.calls(query), name, "docs/reference/protocol.md: refused, not available")


@pytest.mark.parametrize("kind", ["taken", "refused"])
@pytest.mark.parametrize("row", OWN_ROWS, ids=lambda row: row.name)
def test_the_parameters_of_our_own_server(endpoint: Endpoint, row: Row, kind: str) -> None:
    if not endpoint.is_ours:
        pytest.skip("of tympan alone")
    for value in getattr(row, kind):
        query = f"{row.name}={value}"
        if kind == "taken":
            begins(endpoint, query)
        else:
            is_refused(endpoint.calls(query), row.name)


@pytest.mark.parametrize("query", ODD_QUERIES.values(), ids=ODD_QUERIES)
def test_an_odd_query_begins_a_session(endpoint: Endpoint, query: str) -> None:
    begins(endpoint, query)


def test_a_bad_value_names_its_parameter_among_good_ones(endpoint: Endpoint) -> None:
    query = "format_turns=true&vad_threshold=loud&sample_rate=16000"
    is_refused(endpoint.calls(query), "vad_threshold'")


def test_a_sample_rate_too_low_says_how_high_it_must_be(endpoint: Endpoint) -> None:
    name = "sample_rate': sample_rate must be at least 8,000 Hz"
    is_refused(endpoint.calls("sample_rate=7000"), name, "2.1: the text of a sample rate too low")


def test_an_unknown_encoding_is_named(endpoint: Endpoint) -> None:
    name = "encoding': 'flac' is not a valid Encoding"
    is_refused(endpoint.calls("encoding=flac"), name, "2.1: the text of a bad encoding")


def test_an_unknown_model_is_answered_with_those_there_are(endpoint: Endpoint) -> None:
    if not endpoint.is_strict:
        pytest.skip("2.4: lenient services serve it as the default model")
    says = "2.3: an unknown model is 3006 and lists the allowed ones"
    ended = endpoint.calls("speech_model=nova-2").hears_refusal(says)
    error = ended.must_be(3006, PREFIX + "speech_model'", says, is_before_begin=True)
    missing = [model for model in (*US_MODELS, *U3_MODELS) if model not in error["error"]]
    if missing:
        broken("2.3: the error lists the allowed models", f"{error['error']!r}, without {missing}", ended.call)


@pytest.mark.parametrize("query", REFUSED_ON_US_WHEN_STRICT)
@pytest.mark.parametrize("model", ["", "&speech_model=universal-streaming-english", "&speech_model=whisper-rt"])
def test_what_belongs_to_u3_is_ignored_or_when_strict_refused_elsewhere(
    endpoint: Endpoint, query: str, model: str
) -> None:
    if endpoint.strictness is Strictness.UNKNOWN or (not endpoint.is_ours and not model):
        pytest.skip("give --expect-profile; and the default model is the service's choice")
    name = query.partition("=")[0]
    if endpoint.is_strict:
        is_refused(endpoint.calls(query + model), name, f"2.2: {name} is refused on other models")
    else:
        begins(endpoint, query + model)


@pytest.mark.parametrize("query", IGNORED_ON_US)
def test_what_has_no_effect_on_other_models_is_accepted_there(endpoint: Endpoint, query: str) -> None:
    begins(endpoint, f"{query}&speech_model=universal-streaming-english")


@pytest.mark.parametrize(
    "query",
    [
        "keyterms_prompt=Sonny&keyterms_prompt=Beckett",
        "keyterms_prompt=Sonny,Beckett",
        "language_codes=en&language_codes=de",
        "language_codes=en,de",
    ],
)
def test_a_list_that_is_no_json_array_is_taken_or_when_strict_refused(endpoint: Endpoint, query: str) -> None:
    if endpoint.strictness is Strictness.UNKNOWN:
        pytest.skip("2: the hosted service refuses it, others may take it")
    if endpoint.is_strict:
        name = query.partition("=")[0]
        is_refused(endpoint.calls(query + "&" + U3), f"{name}': Invalid JSON array", "2: a list is JSON")
    else:
        begins(endpoint, query + "&" + U3)


def test_a_query_that_is_too_long_is_answered_all_the_same(endpoint: Endpoint) -> None:
    if not endpoint.is_ours:
        pytest.skip("how long a query may be is the service's choice")
    status = endpoint.handshake_status("/v3/ws?prompt=" + "x" * 70_000)
    if status not in (400, 414, 431):
        broken("a request that is too long is refused with an HTTP status", f"HTTP {status}")
