"""ResumeKeys: which session a key opens again.

A key is the credential for one session, so what is remembered of it is its hash, and it is never logged.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Generic, TypeVar

from tympan.core.errors import NotResumable

S = TypeVar("S")

_KEY_BYTES = 32


class ResumeKeys(Generic[S]):
    """The sessions that may be resumed, by key."""

    def __init__(self) -> None:
        self._sessions: dict[bytes, S] = {}

    def issue(self, session: S) -> str:
        """A new key for a session; 256 bits that nobody guesses."""
        key = secrets.token_urlsafe(_KEY_BYTES)
        self._sessions[_hash(key)] = session
        return key

    def find(self, key: str) -> S:
        """The session of a key.

        Raises:
            NotResumable: it was never issued here, or is withdrawn.
        """
        try:
            return self._sessions[_hash(key)]
        except KeyError:
            raise NotResumable("no session is kept under this key (any more)") from None

    def withdraw(self, key: str) -> None:
        """The key opens nothing any more."""
        del self._sessions[_hash(key)]


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()
