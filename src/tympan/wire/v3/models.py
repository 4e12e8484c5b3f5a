"""Model name → profile. PURE: standard library and `core` only.

Clients choose their logic by the model name that they send, so the name chooses the profile, not the model: all
names are answered by the configured engine, whatever its language.
"""

from __future__ import annotations

from tympan.core.errors import BadParameter
from tympan.wire.kinds import quoted
from tympan.wire.v3.profiles import Profile

DEFAULT_MODEL = "universal-streaming-english"
MODELS = {
    DEFAULT_MODEL: Profile.US,
    "universal-streaming-multilingual": Profile.US,
    "whisper-rt": Profile.WHISPER,
    "u3-rt-pro": Profile.U3,
    "u3-rt-pro-beta-1": Profile.U3,
    "u3-rt-agent": Profile.U3,
    "u3-pro": Profile.U3,
    "universal-3-5-pro": Profile.U3,
    "universal-3-6": Profile.U3,
    "universal-3-6-pro": Profile.U3,
    "universal-3-7-preview": Profile.U3,
    "_universal-3-5-notetaker": Profile.U3,
}
"""Names that were seen to be valid, and one that older clients know (protocol reference, section 2.3)."""

RETIRED = frozenset({"u3-pro"})
"""What the hosted service doesn't know any more."""

U3_PREFIXES = ("u3-", "universal-3-", "_universal-3-")
"""Newer names of the family, which this version can't know, begin so."""


def profile_of(model: str | None, *, is_strict: bool) -> tuple[Profile, str]:
    """The profile for a requested name, and the name to answer with.

    No name is the default model, and so is an unknown one unless the session is strict or the name is of the U3
    family.

    Raises:
        BadParameter: an unknown or retired name in a strict session.
    """
    if not model:
        return MODELS[DEFAULT_MODEL], DEFAULT_MODEL
    if is_strict and (model not in MODELS or model in RETIRED):
        allowed = ", ".join(name for name in MODELS if name not in RETIRED)
        raise BadParameter("speech_model", f"{quoted(model)} is not a valid SpeechModel; allowed: {allowed}")
    if model in MODELS:
        return MODELS[model], model
    if model.startswith(U3_PREFIXES):
        return Profile.U3, model[:_LONGEST_NAME]
    return MODELS[DEFAULT_MODEL], DEFAULT_MODEL


_LONGEST_NAME = 100
"""What `Begin` repeats of a name that nobody knows."""
