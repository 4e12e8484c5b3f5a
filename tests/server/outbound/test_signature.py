"""Signatures are those of Standard Webhooks."""

from __future__ import annotations

import base64

import pytest

from tympan.server.outbound.signature import read_secret, signed_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_signature_is_the_one_that_the_scheme_publishes() -> None:
    """The vector in the tests of the scheme's own libraries."""
    headers = signed_headers(
        read_secret(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        SECRET.removeprefix("whsec_"),
        "whsec_not base64",
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        "whsec_ü",
    ],
)
def test_what_is_no_secret_of_the_scheme_is_refused_without_being_quoted(secret: str) -> None:
    with pytest.raises(ValueError, match=r"^expected 'whsec_' and 24 to 64 bytes in base64$"):
        read_secret(secret)
