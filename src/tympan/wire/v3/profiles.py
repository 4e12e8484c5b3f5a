"""Model name → profile, and how the US profile shows a turn. PURE: standard library and `core` only.

A profile is how a client sees turns; clients choose their logic by the model name they send, so the name
chooses the profile. The US profile is word by word: final words never change, and a finished turn is told
once in plain words and, when asked for, once more formatted. `WHISPER` is the US flow without the second
final. The U3 profile (segments, always formatted) isn't served yet: its names are refused, with a text
that says what to use instead.
"""

from __future__ import annotations

from enum import StrEnum

from tympan.core.errors import BadParameter
from tympan.core.events import TurnEnded, TurnUpdated
from tympan.core.words import Word
from tympan.wire.kinds import quoted
from tympan.wire.v3 import messages
from tympan.wire.wording import rounded, transcript_of


class Profile(StrEnum):
    """How a client sees turns."""

    US = "us"
    WHISPER = "whisper"

    @property
    def has_formatted_final(self) -> bool:
        """`format_turns` has an effect."""
        return self is Profile.US


DEFAULT_MODEL = "universal-streaming-english"
MODELS = {
    DEFAULT_MODEL: Profile.US,
    "universal-streaming-multilingual": Profile.US,
    "whisper-rt": Profile.WHISPER,
}
"""Served names. All are answered by the configured engine, whatever its language."""

U3_PREFIXES = ("u3-", "universal-3-", "_universal-3-")


def profile_of(model: str | None, *, is_strict: bool) -> tuple[Profile, str]:
    """The profile for a requested name, and the name to answer with.

    No name is the default model, and so is an unknown one unless the session is strict.

    Raises:
        BadParameter: a U3 name, or an unknown one in a strict session.
    """
    if not model:
        return MODELS[DEFAULT_MODEL], DEFAULT_MODEL
    if model in MODELS:
        return MODELS[model], model
    if model.startswith(U3_PREFIXES):
        raise BadParameter("speech_model", f"{quoted(model)} is not served yet; use '{DEFAULT_MODEL}'")
    if is_strict:
        raise BadParameter("speech_model", f"{quoted(model)} is not a valid SpeechModel; allowed: {', '.join(MODELS)}")
    return MODELS[DEFAULT_MODEL], DEFAULT_MODEL


def partial_turn(event: TurnUpdated, words: tuple[Word, ...], utterance: str) -> messages.Turn:
    """A turn that goes on. `words` are the event's, as they are to be written.

    The transcript holds final words only; `words` holds every tentative one too, because a client shows
    a word the moment it appears there.
    """
    finals = event.final_count
    return messages.Turn(
        turn_order=event.turn_order,
        turn_is_formatted=False,
        end_of_turn=False,
        transcript=transcript_of(words[:finals]),
        end_of_turn_confidence=rounded(event.end_of_turn_confidence),
        words=wire_words(words[:finals], is_final=True) + wire_words(words[finals:], is_final=False),
        utterance=utterance,
    )


def final_turn(event: TurnEnded, words: tuple[Word, ...], *, utterance: str, is_formatted: bool) -> messages.Turn:
    """A finished turn, in the words given: raw, or once more formatted."""
    return messages.Turn(
        turn_order=event.turn_order,
        turn_is_formatted=is_formatted,
        end_of_turn=True,
        transcript=transcript_of(words),
        end_of_turn_confidence=rounded(event.end_of_turn_confidence),
        words=wire_words(words, is_final=True),
        utterance=utterance,
    )


def wire_words(words: tuple[Word, ...], *, is_final: bool) -> tuple[messages.Word, ...]:
    """The words that have a text, as the protocol spells them."""
    return tuple(
        messages.Word(
            start=word.start_ms,
            end=word.end_ms,
            confidence=rounded(word.confidence),
            text=word.text,
            word_is_final=is_final,
        )
        for word in words
        if word.text
    )
