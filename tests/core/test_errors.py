"""What errors say."""

from __future__ import annotations

from tympan.core.errors import BadParameter


def test_a_wrong_value_is_quoted_in_part_only() -> None:
    error = BadParameter("prompt", "'" + "x" * 5000)
    assert str(error) == "Invalid 'prompt': '" + "x" * 399 + "…"
    assert str(BadParameter("a", "too long")) == "Invalid 'a': too long"
