"""Which session a key opens again."""

from __future__ import annotations

import pytest

from tympan.core.errors import NotResumable
from tympan.server.resume_keys import ResumeKeys


def test_each_key_opens_the_session_that_it_was_issued_for() -> None:
    keys: ResumeKeys[str] = ResumeKeys()
    issued = {keys.issue(name): name for name in ("one", "other")}
    assert len(issued) == 2
    assert {key: keys.find(key) for key in issued} == issued


@pytest.mark.parametrize("key", ["", "x", "\ud800", "ключ"])
def test_any_other_key_is_refused(key: str) -> None:
    keys: ResumeKeys[str] = ResumeKeys()
    keys.issue("one")
    with pytest.raises(NotResumable):
        keys.find(key)


def test_a_key_that_is_withdrawn_opens_nothing_and_is_nowhere() -> None:
    keys: ResumeKeys[str] = ResumeKeys()
    key = keys.issue("one")
    assert key not in repr(vars(keys))
    keys.withdraw(key)
    with pytest.raises(NotResumable):
        keys.find(key)
