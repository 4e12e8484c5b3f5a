"""What a client may change in a session → `ConfigUpdate`. PURE: standard library and `core` only.

The same rows and the same reading serve the query string (a change of the defaults) and `UpdateConfiguration`;
what has no effect there has none here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, TypeVar

from tympan.core.config import ConfigUpdate
from tympan.wire.parameter import Parameter
from tympan.wire.v3.messages import UpdateConfiguration
from tympan.wire.v3.modes import MODES, Mode
from tympan.wire.v3.parameters import PARAMETERS, connection, turns
from tympan.wire.v3.profiles import Profile

T = TypeVar("T")


class Values(Protocol):
    """Where the values come from."""

    def __call__(self, parameter: Parameter[T], /) -> T | None:
        """The checked value of a parameter; None when it isn't given or has no effect in this session."""


def changes(value: Values) -> ConfigUpdate:
    """What the values change; a mode gives those that aren't given themselves."""
    update = ConfigUpdate(
        confidence_threshold=value(turns.CONFIDENCE_THRESHOLD),
        min_silence_ms=value(turns.MIN_TURN_SILENCE),
        max_silence_ms=value(turns.MAX_TURN_SILENCE),
        vad_threshold=value(turns.VAD_THRESHOLD),
        format_turns=_or(value(turns.FORMAT_TURNS), value(turns.FORMATTED_FINALS)),
        filter_profanity=value(turns.FILTER_PROFANITY),
        left_pad_ms=value(turns.TURN_LEFT_PAD),
        partial_delay_ms=value(turns.INTERRUPTION_DELAY),
        has_continuous_partials=value(turns.CONTINUOUS_PARTIALS),
        has_heartbeat=value(connection.SESSION_HEARTBEAT),
        has_silence=value(turns.ACKNOWLEDGE_SILENCE),
    )
    name = value(turns.MODE)
    return update if name is None else _with_mode(update, MODES[name])


def _with_mode(update: ConfigUpdate, mode: Mode) -> ConfigUpdate:
    return replace(
        update,
        confidence_threshold=mode.confidence_threshold,
        min_silence_ms=_or(update.min_silence_ms, mode.min_silence_ms),
        max_silence_ms=_or(update.max_silence_ms, mode.max_silence_ms),
        partial_delay_ms=_or(update.partial_delay_ms, mode.partial_delay_ms),
    )


def config_update(message: UpdateConfiguration, *, profile: Profile, is_strict: bool) -> ConfigUpdate:
    """What the message changes; None in it leaves a value as it is.

    Raises:
        BadParameter: a value that can't be used; the connection ends with code 3006.
    """

    def checked(parameter: Parameter[T]) -> T | None:
        for name in parameter.names:
            given: T | None = getattr(message, name, None)
            if given is not None:
                return parameter.check(name, given, profile=profile, is_strict=is_strict)
        return None

    def value(parameter: Parameter[T], /) -> T | None:
        return checked(parameter) if parameter.applies_to(profile) else None

    for parameter in UPDATABLE:
        checked(parameter)
    return changes(value)


UPDATABLE = tuple(parameter for parameter in PARAMETERS if parameter.is_updatable)
"""What the message may hold."""


def _or(value: T | None, other: T | None) -> T | None:
    return other if value is None else value
