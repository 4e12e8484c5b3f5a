"""What is told in place of several pieces of audio."""

from __future__ import annotations

import pytest

from tympan.core.listening import Heard
from tympan.core.units import StreamMs


@pytest.mark.parametrize(("earlier", "later"), [(0.9, 0.1), (0.1, 0.9), (0.9, 0.9)])
def test_the_surest_speech_of_what_was_not_told_is_kept(earlier: float, later: float) -> None:
    untold = Heard(StreamMs(20), speech_probability=earlier)
    told = Heard(StreamMs(40), speech_probability=later, settled_ms=StreamMs(7))
    assert told.after(untold) == Heard(StreamMs(40), speech_probability=0.9, settled_ms=StreamMs(7))


def test_where_everything_was_told_nothing_changes() -> None:
    assert Heard(StreamMs(20), speech_probability=0.3).after(None) == Heard(StreamMs(20), speech_probability=0.3)
