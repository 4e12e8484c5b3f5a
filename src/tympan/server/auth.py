"""Who may connect: API keys and temporary tokens (protocol reference, section 1.1).

Rules:
- Keys are compared by their hashes, in constant time, and every key is always compared.
- A credential is never logged, and no error text holds one.
"""

from __future__ import annotations

import hashlib
import hmac

from tympan.core.errors import Unauthorized
from tympan.server.config import AuthConfig
from tympan.server.tokens import Grant, TokenMint

_SCHEMES = ("bearer ", "token ")


class Authenticator:
    """Judges credentials. A strict one opens sessions as the hosted service does: for what is in the header as it is,
    without a scheme before it."""

    def __init__(self, config: AuthConfig, mint: TokenMint, *, is_strict: bool = False) -> None:
        self._hashes = tuple(_hash(key) for key in config.api_keys)
        self._is_open = config.is_open
        self._is_strict = is_strict
        self._mint = mint

    def admit(self, authorization: str | None, query_token: str | None) -> Grant:
        """Judge who opens a session. The header or else the query holds a key or a temporary token.

        Without authentication everybody is welcome, but a token's cap still holds. Who then shows no key that is
        known counts as one with all others who don't.

        Raises:
            Unauthorized: no credential, or not a valid one; the text is the protocol's own.
        """
        header = (authorization or "").strip() if self._is_strict else _bare(authorization)
        credential = header or query_token or ""
        try:
            if not credential:
                raise Unauthorized("Missing Authorization header")
            return self._grant(credential) if self._is_key(credential) else self._mint.redeem(credential)
        except Unauthorized:
            if self._is_open:
                return Grant()
            raise

    def require_key(self, authorization: str | None) -> Grant:
        """Judge who asks for a token: a key only, since a token must not prolong itself.

        Raises:
            Unauthorized: no key, or not a valid one.
        """
        credential = _bare(authorization)
        if self._is_key(credential):
            return self._grant(credential)
        if self._is_open:
            return Grant()
        raise Unauthorized("Invalid API key" if credential else "Missing Authorization header")

    def _grant(self, key: str) -> Grant:
        return Grant(key_id=self._mint.key_id(key))

    def _is_key(self, credential: str) -> bool:
        candidate = _hash(credential)
        matches = [hmac.compare_digest(candidate, known) for known in self._hashes]
        return any(matches)


def _bare(authorization: str | None) -> str:
    """The credential in an `Authorization` header: raw, `Bearer …` or `token …`."""
    text = (authorization or "").strip()
    for scheme in _SCHEMES:
        if text.lower().startswith(scheme):
            return text[len(scheme) :].strip()
    return text


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
