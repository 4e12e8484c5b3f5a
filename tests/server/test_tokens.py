"""Temporary tokens in their own time."""

from __future__ import annotations

import jwt
import pytest

from tympan.core.errors import Unauthorized
from tympan.server import tokens
from tympan.server.tokens import Grant, TokenMint


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_token_holds_to_the_second_before_its_expiry() -> None:
    clock = Clock()
    mint = TokenMint("secret", unix_clock=clock)
    token = mint.mint(expires_in_s=60, max_session_s=90)
    clock.now = 1059.99
    assert mint.redeem(token) == mint.redeem(token) == Grant(90)
    clock.now = 1060.0
    with pytest.raises(Unauthorized, match="Signature has expired"):
        mint.redeem(token)


def test_a_single_use_token_is_spent_and_forgotten_when_it_has_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_REMEMBERED", 2)
    clock = Clock()
    mint = TokenMint("secret", is_single_use=True, unix_clock=clock)
    first, second, third = (mint.mint(expires_in_s=60, max_session_s=90) for _ in range(3))
    mint.redeem(first)
    mint.redeem(second)
    for token in (first, third):  # spent; and one more than can be remembered
        with pytest.raises(Unauthorized):
            mint.redeem(token)
    clock.now = 1061.0
    mint.redeem(mint.mint(expires_in_s=60, max_session_s=90))


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"exp": 2000},
        {"exp": "soon", "jti": "a", "max_session_s": 60},
        {"exp": 2000, "jti": "a", "max_session_s": "x"},
    ],
)
def test_a_token_without_its_claims_is_refused(claims: dict[str, object]) -> None:
    mint = TokenMint("secret", unix_clock=Clock())
    token = jwt.encode(claims, mint._key, algorithm="HS256")
    with pytest.raises(Unauthorized, match="Invalid API key"):
        mint.redeem(token)


def test_an_unsigned_token_is_refused() -> None:
    token = jwt.encode({"exp": 2000, "jti": "a", "max_session_s": 60}, None, algorithm="none")
    with pytest.raises(Unauthorized, match="Invalid API key"):
        TokenMint("secret", unix_clock=Clock()).redeem(token)
