"""Places for sessions."""

from __future__ import annotations

import pytest

from tympan.core.errors import TooManySessions
from tympan.runtime.admission import Admission


def test_a_place_is_given_back_however_its_session_ends() -> None:
    admission = Admission(1)
    place = admission.place()
    place.__enter__()
    assert admission.active == 1
    bug = ZeroDivisionError()
    assert not place.__exit__(ZeroDivisionError, bug, None)
    assert admission.active == 0


def test_one_more_than_there_are_is_refused() -> None:
    admission = Admission(2)
    with admission.place(), admission.place():
        with pytest.raises(TooManySessions), admission.place():
            pass
        assert admission.active == 2
    with admission.place():
        assert admission.active == 1
