"""How a connection ends, for each error there is."""

from __future__ import annotations

import pytest

from tympan.core import errors
from tympan.wire.close_codes import Ending, v3_ending

VALIDATION = "User Input Validation Error: "
BY_ERROR = [
    (errors.Unauthorized("Invalid API key"), 1008, "Unauthorized Connection: Invalid API key"),
    (errors.TooManySessions(), 3009, "Unauthorized Connection: Too many concurrent sessions"),
    (errors.TooManySessionsOfKey("all 2"), 3009, "Unauthorized Connection: Too many concurrent sessions"),
    (errors.TooManyNewSessions("wait"), 1008, "Unauthorized Connection: Too many new sessions: wait"),
    (errors.SessionRefused(), 3009, "Unauthorized Connection: Too many concurrent sessions"),
    (errors.NotResumable("unknown key"), 4004, "Session Not Resumable: unknown key"),
    (errors.ResumedElsewhere("another"), 4103, "Session Resumed Elsewhere"),
    (errors.BadParameter("x", "why {}"), 3006, f"{VALIDATION}Invalid 'x': why {{}}"),
    (errors.MalformedMessage("Invalid JSON: x"), 3006, f"{VALIDATION}Invalid JSON: x"),
    (errors.UnknownMessageType("X"), 3006, f"{VALIDATION}Invalid Message Type: X"),
    (errors.ProtocolError("odd"), 3006, f"{VALIDATION}odd"),
    (
        errors.BadChunk("Input Duration Violation: 1200.0 ms. Expected between 50 and 1000 ms"),
        3007,
        "Input Duration Error: Input Duration Violation: 1200.0 ms. Expected between 50 and 1000 ms",
    ),
    (errors.BadAudio("expected AAC"), 3006, f"{VALIDATION}Invalid audio: expected AAC"),
    (errors.AudioTooFast("Audio Transmission Rate Exceeded: a"), 3007, "Audio Transmission Rate Exceeded: a"),
    (
        errors.Inactive("Session terminated due to inactivity: No messages received for 5 seconds"),
        3006,
        "Session terminated due to inactivity: No messages received for 5 seconds",
    ),
    (errors.MaxDurationExceeded(), 3008, "Session Expired: Maximum session duration exceeded"),
    (errors.SessionExpired(), 3008, "Session Expired: Maximum session duration exceeded"),
    (errors.ServerStopping("The server is shutting down"), 3005, "Session Cancelled: The server is shutting down"),
    (errors.EngineError("moonshine", "secret"), 3005, "Session Cancelled: An error occurred"),
    (errors.ModelError("secret"), 3005, "Session Cancelled: An error occurred"),
    (ValueError("secret"), 3005, "Session Cancelled: An error occurred"),
]


@pytest.mark.parametrize(("error", "code", "text"), BY_ERROR, ids=lambda value: type(value).__name__)
def test_an_error_ends_the_connection_with_its_code_and_text(error, code, text):
    assert v3_ending(error) == Ending(code, "See Error message for details", text)


def test_a_graceful_end_has_no_error():
    assert v3_ending(None) == Ending(1000, "Session Ended", None)
