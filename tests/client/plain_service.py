"""What a v3 service that can't resume says of a written conversation, from any point of its audio on.

The US profile is our own server's rules over the scripted engine; U3 is written out here, after the protocol
reference, section 6.3.
"""

from __future__ import annotations

from dataclasses import replace

from tympan.client.seam import Seam, Told
from tympan.core.config import OutputConfig, SessionConfig, SessionLimits, TurnConfig
from tympan.core.effects import Control, Finish
from tympan.core.events import SessionEnded
from tympan.core.units import StreamMs
from tympan.engines.scripted import Script, ScriptedStream, ScriptedWord
from tympan.formatting.pipeline import EnglishWording
from tympan.runtime.listener import Listener
from tympan.wire.v3.client import decode_message
from tympan.wire.v3.messages import SpeechStarted, Termination, Turn, Word
from tympan.wire.v3.params import ConnectionOptions
from tympan.wire.v3.server import V3ServerProtocol

BYTES_PER_MS = 32
U3_SILENCE_MS = 500
HURT = "hm"
"""What a recogniser makes of a word whose beginning it doesn't hear."""


def heard_from(words: tuple[ScriptedWord, ...], origin_ms: int) -> tuple[ScriptedWord, ...]:
    """The words as a session hears them whose audio begins there."""
    return tuple(
        replace(
            word,
            text=word.text if word.start_ms >= origin_ms else HURT,
            start_ms=max(0, word.start_ms - origin_ms),
            end_ms=word.end_ms - origin_ms,
        )
        for word in words
        if word.end_ms > origin_ms
    )


def us_session(
    words: tuple[ScriptedWord, ...],
    origin_ms: int,
    until_ms: int,
    *,
    format_turns: bool = True,
    controls: dict[int, Control] | None = None,
) -> list[Told]:
    """All messages after `Begin` of a session that hears this audio and is then told to end.

    `controls` stand at times of the whole conversation.
    """
    config = SessionConfig(turn=TurnConfig(), output=OutputConfig(format_turns=format_turns), limits=SessionLimits())
    protocol = V3ServerProtocol(config, ConnectionOptions(), EnglishWording())
    listener = Listener(ScriptedStream(Script(heard_from(words, origin_ms))), config)
    at_ms = origin_ms
    for control_ms, control in sorted((controls or {}).items()):
        if origin_ms <= control_ms <= until_ms:
            listener.feed(bytes((control_ms - at_ms) * BYTES_PER_MS))
            listener.mark(control)
            at_ms = control_ms
    listener.feed(bytes((until_ms - at_ms) * BYTES_PER_MS))
    listener.mark(Finish())
    told: list[Told] = []
    while (heard := listener.advance()) is not None:
        for event in heard.events:
            told += _decoded(protocol.messages_for(event))
    audio_s = round((until_ms - origin_ms) / 1000)
    return [*told, *_decoded(protocol.messages_for(SessionEnded(audio_s, audio_s)))]


def _decoded(texts: tuple[str, ...]) -> list[Told]:
    messages = [decode_message(text) for text in texts]
    assert all(isinstance(message, Turn | SpeechStarted | Termination) for message in messages)
    return messages  # type: ignore[return-value]


def u3_session(words: tuple[ScriptedWord, ...], origin_ms: int, until_ms: int) -> list[Told]:
    """The same in the U3 profile: nothing is final before the end of a turn."""
    heard = [word for word in heard_from(words, origin_ms) if word.end_ms <= until_ms - origin_ms]
    told: list[Told] = []
    turn: list[ScriptedWord] = []
    order = 0
    for index, word in enumerate(heard):
        if not turn:
            told.append(SpeechStarted(word.start_ms, 0.98))
        turn.append(word)
        told.append(_u3_turn(order, turn, is_final=False))
        is_last = index + 1 == len(heard)
        if is_last or heard[index + 1].start_ms - word.end_ms >= U3_SILENCE_MS:
            told.append(_u3_turn(order, turn, is_final=True))
            order, turn = order + 1, []
    audio_s = round((until_ms - origin_ms) / 1000)
    return [*told, Termination(audio_s, audio_s)]


def _u3_turn(order: int, turn: list[ScriptedWord], *, is_final: bool) -> Turn:
    words = tuple(Word(word.start_ms, word.end_ms, 0.9, word.text, is_final) for word in turn)
    text = " ".join(word.text for word in turn)
    return Turn(order, is_final, is_final, text, float(is_final), words, text if is_final else "")


def raw_text(word: ScriptedWord) -> str:
    """As the US profile writes it before formatting."""
    (written,) = EnglishWording().raw((word.spoken(),), filter_profanity=False)
    return written.text


def start_of(told: Seam) -> StreamMs:
    return StreamMs(told.replay_from_ms(0))
