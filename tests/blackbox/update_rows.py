"""Every field of UpdateConfiguration with good and bad values (protocol reference, section 3).

As in `parameter_rows`, but JSON values: a text is no number, and null leaves a value as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class UpdateRow:
    """One field. `is_u3`: of those models alone; `is_refused_on_us`: where strict, elsewhere."""

    name: str
    taken: tuple[Any, ...] = ()
    clamped: tuple[Any, ...] = ()
    refused: tuple[Any, ...] = ()
    is_u3: bool = False


def boolean(name: str, *, is_u3: bool = False) -> UpdateRow:
    return UpdateRow(name, taken=(True, False), refused=("true", 1, [], {}), is_u3=is_u3)


def integer(name: str, low: int, high: int, *, is_u3: bool = False) -> UpdateRow:
    refused = ("100", 1.5, True, [], {}, 10**30)
    return UpdateRow(name, taken=(low, high), clamped=(low - 1, high + 1), refused=refused, is_u3=is_u3)


def clamped_integer(name: str, low: int, high: int) -> UpdateRow:
    """One that strict services clamp too."""
    return UpdateRow(name, taken=(low, high, low - 1, high + 1), refused=integer(name, low, high).refused)


def share(name: str) -> UpdateRow:
    return UpdateRow(name, taken=(0, 1, 0.5), clamped=(-0.01, 1.01), refused=("0.5", True, [], {}, 10**30))


UPDATE_ROWS = (
    UpdateRow("mode", taken=("min_latency", "max_accuracy"), refused=("fast", 7, True, []), is_u3=True),
    clamped_integer("min_turn_silence", 0, 10_000),
    clamped_integer("min_end_of_turn_silence_when_confident", 0, 10_000),
    integer("max_turn_silence", 1, 3_600_000),
    share("end_of_turn_confidence_threshold"),
    share("vad_threshold"),
    boolean("format_turns"),
    UpdateRow(
        "keyterms_prompt",
        taken=([], ["Sonny"], ["term"] * 100, ["x" * 51]),
        refused=(["term"] * 101, "Sonny", [1], [None], {}),
    ),
    UpdateRow("prompt", taken=("", "x" * 1750), refused=("x" * 1751, 7, []), is_u3=True),
    UpdateRow("agent_context", taken=("", "x" * 1750), refused=("x" * 1751, 7, []), is_u3=True),
    UpdateRow("language_codes", taken=([], ["en"]), refused=(["xx"], ["en"] * 11, "en", [1]), is_u3=True),
    boolean("filter_profanity"),
    integer("interruption_delay", 0, 1_000, is_u3=True),
    boolean("continuous_partials", is_u3=True),
    integer("turn_left_pad_ms", 0, 2_000),
    boolean("session_heartbeat"),
    boolean("acknowledge_silence", is_u3=True),
)

WITHOUT_EFFECT = {
    "nothing at all": {},
    "a field that nobody knows": {"colour": "blue"},
    "the fields of an old example": {"sample_rate": 8000, "encoding": "pcm_mulaw"},
    "a parameter of the connection alone": {"include_partial_turns": False},
    "a model": {"speech_model": "u3-rt-pro"},
}
"""Updates that change nothing and end nothing."""

UNUSABLE_TEXTS = {
    "empty": ("", "Invalid JSON"),
    "no JSON": ("hello", "Invalid JSON"),
    "half an object": ('{"type": "Terminate"', "Invalid JSON"),
    "NaN": ('{"type": "KeepAlive", "x": NaN}', "Invalid JSON"),
    "single quotes": ("{'type': 'Terminate'}", "Invalid JSON"),
    "two objects": ('{"type": "KeepAlive"}{"type": "KeepAlive"}', "Invalid JSON"),
    "nested too deep": ("[" * 100_000, "Invalid JSON"),
    "an array": ("[]", "Invalid Message"),
    "a number": ("7", "Invalid Message"),
    "a text": ('"Terminate"', "Invalid Message"),
    "null": ("null", "Invalid Message"),
    "no type": ("{}", "Invalid Message"),
    "a type that is no text": ('{"type": 7}', "Invalid Message"),
    "the type under another name": ('{"message_type": "Terminate"}', "Invalid Message"),
    "an unknown type": ('{"type": "Sing"}', "Invalid Message Type: Sing"),
    "a type in other letters": ('{"type": "terminate"}', "Invalid Message Type: terminate"),
    "a type of the server": ('{"type": "Begin"}', "Invalid Message Type: Begin"),
    "an old client's message": ('{"terminate_session": true}', "Invalid Message"),
}
"""Text messages that end a session with 3006, and how the text goes on after the prefix."""
