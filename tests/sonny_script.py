"""The sentence of the protocol reference, section 6.1, as a script file has it for the scripted engine."""

from __future__ import annotations

SCRIPT = {
    "words": [
        {"text": "Hi,", "start_ms": 100, "end_ms": 300},
        {"text": "my", "start_ms": 320, "end_ms": 450},
        {"text": "name", "start_ms": 460, "end_ms": 700},
        {"text": "is", "start_ms": 720, "end_ms": 900},
        {"text": "Sonny.", "start_ms": 950, "end_ms": 1400, "end_of_turn_confidence": 0.75},
    ]
}
