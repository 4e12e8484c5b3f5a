"""`UpdateConfiguration` → what changes in the session. PURE: standard library and `core` only.

The same table that checks connection parameters checks these; what has no effect there has none here.
"""

from __future__ import annotations

from typing import TypeVar

from tympan.core.config import ConfigUpdate
from tympan.wire.parameter import Parameter
from tympan.wire.v3 import parameters as p
from tympan.wire.v3.messages import UpdateConfiguration

T = TypeVar("T")


def config_update(message: UpdateConfiguration, *, is_strict: bool) -> ConfigUpdate:
    """What the message changes; None in it leaves a value as it is.

    Raises:
        BadParameter: a value that can't be used; the connection ends with code 3006.
    """

    def value(parameter: Parameter[T]) -> T | None:
        for name in parameter.names:
            given: T | None = getattr(message, name, None)
            if given is not None:
                return parameter.check(name, given, is_strict=is_strict)
        return None

    for parameter in UPDATABLE:
        value(parameter)
    return ConfigUpdate(
        confidence_threshold=value(p.CONFIDENCE_THRESHOLD),
        min_silence_ms=value(p.MIN_TURN_SILENCE),
        max_silence_ms=value(p.MAX_TURN_SILENCE),
        vad_threshold=value(p.VAD_THRESHOLD),
        format_turns=value(p.FORMAT_TURNS),
        filter_profanity=value(p.FILTER_PROFANITY),
    )


UPDATABLE = tuple(parameter for parameter in p.PARAMETERS if parameter.is_updatable)
"""What the message may hold."""
