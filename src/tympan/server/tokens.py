"""Temporary tokens: signed, expiring, with a cap on the session's length (protocol reference, section 7.1).

A token is a JWT signed with HS256. What it opens counts as a session of the key that it was made with: it names that
by an id, which only the holder of the secret can make out of a key. Nothing is stored, but for the ids of used tokens
where each may be used once: they are kept until they expire, and no more of them than `MAX_REMEMBERED`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

import jwt

from tympan.core.errors import Unauthorized

MAX_REMEMBERED = 100_000
_ALGORITHM = "HS256"
_EXPIRED = "Signature has expired"
_INVALID = "Invalid API key"
_KEY_ID_CHARS = 16


@dataclass(frozen=True, slots=True)
class Grant:
    """What a credential allows. `max_session_s` is None where the server's own limit holds; `key_id` tells whose
    limits of sessions hold, empty for all who show no key."""

    max_session_s: int | None = None
    key_id: str = ""


class TokenMint:
    """Makes tokens and reads them."""

    def __init__(
        self, secret: str, *, is_single_use: bool = False, unix_clock: Callable[[], float] = time.time
    ) -> None:
        # Hashed to the length that HS256 wants, whatever the operator chose.
        self._key = hashlib.sha256(secret.encode()).digest()
        self._naming_key = hashlib.sha256(b"key id " + secret.encode()).digest()
        self._is_single_use = is_single_use
        self._unix_clock = unix_clock
        self._used: dict[str, float] = {}  # token id → expiry, Unix seconds

    def key_id(self, api_key: str) -> str:
        """What a key is called in a token and where its sessions are counted; it doesn't give the key away."""
        return hmac.new(self._naming_key, api_key.encode(), hashlib.sha256).hexdigest()[:_KEY_ID_CHARS]

    def mint(self, *, expires_in_s: int, max_session_s: int, key_id: str = "") -> str:
        """A token with which the key of that id may open a session in the next `expires_in_s`."""
        claims = {
            "exp": self._unix_clock() + expires_in_s,
            "max_session_s": max_session_s,
            "key_id": key_id,
            "jti": secrets.token_urlsafe(12),
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def redeem(self, token: str) -> Grant:
        """What a token allows.

        Raises:
            Unauthorized: it isn't ours, has expired, or was used before and may be used once only.
        """
        try:
            # The expiry is judged below, by this object's own clock.
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                options={"require": ["exp", "jti", "max_session_s"], "verify_exp": False},
            )
            expiry_s, max_session_s = float(claims["exp"]), int(claims["max_session_s"])
        except (jwt.InvalidTokenError, TypeError, ValueError, OverflowError, RecursionError):
            raise Unauthorized(_INVALID) from None
        if self._unix_clock() >= expiry_s:
            raise Unauthorized(_EXPIRED)
        if self._is_single_use:
            self._spend(str(claims["jti"]), expiry_s)
        # A token of an earlier version names no key: it counts like those who show none.
        return Grant(max_session_s, str(claims.get("key_id", "")))

    def _spend(self, token_id: str, expiry_s: float) -> None:
        now = self._unix_clock()
        if len(self._used) >= MAX_REMEMBERED:
            self._used = {used: until for used, until in self._used.items() if until > now}
        if token_id in self._used or len(self._used) >= MAX_REMEMBERED:
            raise Unauthorized(_INVALID)
        self._used[token_id] = expiry_s
