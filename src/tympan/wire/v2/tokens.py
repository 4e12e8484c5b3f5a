"""The request for a temporary token in v2. PURE: standard library and `core` only."""

from __future__ import annotations

from dataclasses import dataclass

from tympan.core.errors import BadParameter
from tympan.wire.codec import parse_json, read_object

EXPIRES_IN_S = range(60, 31_536_001)
"""A minute (protocol reference, section 7.2) to a year, which is a limit of ours."""


@dataclass(frozen=True, slots=True)
class _TokenRequest:
    expires_in: int


def parse_token_request(body: str | bytes) -> int:
    """For how many seconds a token is wanted.

    Raises:
        ProtocolError: the body is no request for a token.
    """
    expires_in_s = read_object(_TokenRequest, parse_json(body)).expires_in
    if expires_in_s not in EXPIRES_IN_S:
        low, high = EXPIRES_IN_S[0], EXPIRES_IN_S[-1]
        raise BadParameter("expires_in", f"expected whole seconds from {low} to {high}, got {expires_in_s}")
    return expires_in_s
