"""How the hosted service refuses to make a token: 422 and a list of what is wrong, where its documentation has 400
and 401 (protocol reference, section 7.1). A strict server answers like that."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

_MAX_DIGITS = 20
_MAX_ECHO_CHARS = 100


def missing(place: str, name: str) -> Response:
    """A header or parameter isn't there."""
    return _answer("missing", (place, name), "Field required", None)


def out_of_range(name: str, text: str, allowed: range) -> Response:
    """A parameter is no whole number of the range."""
    loc = ("query", name)
    if not _is_whole(text):
        what = "Input should be a valid integer, unable to parse string as an integer"
        return _answer("int_parsing", loc, what, text)
    low, high = allowed[0], allowed[-1]
    if text.startswith("-") or int(text) < low:
        return _answer("greater_than_equal", loc, f"Input should be greater than or equal to {low}", text, {"ge": low})
    return _answer("less_than_equal", loc, f"Input should be less than or equal to {high}", text, {"le": high})


def _is_whole(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdecimal() and len(digits) <= _MAX_DIGITS


def _answer(
    kind: str, loc: tuple[str, str], message: str, given: str | None, bounds: Mapping[str, int] | None = None
) -> Response:
    detail: dict[str, object] = {"type": kind, "loc": loc, "msg": message, "input": given and given[:_MAX_ECHO_CHARS]}
    if bounds is not None:
        detail["ctx"] = dict(bounds)
    return JSONResponse({"detail": [detail]}, status_code=422)
