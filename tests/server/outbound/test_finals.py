"""What is kept of a session for its webhook."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tympan.server.outbound.finals import Finals


@given(st.lists(st.text(alphabet="abc"), max_size=30), st.integers(0, 40))
def test_what_is_kept_is_a_beginning_within_the_limit_and_the_rest_is_counted(texts: list[str], limit: int) -> None:
    finals = Finals(max_bytes=limit)
    for text in texts:
        finals.receive_final(text)
    kept = len(finals.texts)
    assert finals.texts == texts[:kept]
    assert finals.missing == len(texts) - kept
    assert sum(map(len, finals.texts)) <= limit
    if finals.missing:
        assert sum(map(len, texts[: kept + 1])) > limit
