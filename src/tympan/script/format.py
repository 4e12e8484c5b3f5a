"""The format of scripts: TOML or JSON → a programme. PURE: standard library, `core` and `wire` only.

A script is a list of sessions, or one session without the list round it. What each table may hold are rows of `keys`;
the reference page is generated from them.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tympan.core.errors import ProtocolError
from tympan.script.cues import Act, AfterAudio, AfterMessages, At, Close, Cue, Drop, FallSilent, Moment, Pause, Say
from tympan.script.keys import (
    ANY_TEXT,
    CLOSE_CODE,
    COUNT,
    MS,
    SHARE,
    SOME_MS,
    TABLES,
    TEXT,
    YES,
    Key,
    Place,
    one_of,
    read_table,
)
from tympan.script.pacing import (
    END_OF_TURN_CONFIDENCE,
    FIRST_START_MS,
    PAUSE_MS,
    spoken_ms,
    spoken_words,
    with_cadence,
)
from tympan.script.programme import AfterLast, Programme, SessionScript
from tympan.script.timeline import FINAL_AFTER_MS, SHOWN_AFTER_MS, Script, ScriptedWord
from tympan.wire.v3.messages import SERVER_CODEC

_AFTER_WORD = "after the end of the word"
WORD_KEYS = (
    Key("text", TEXT, "as it is written in the formatted final; unformatted messages have it plain", "required"),
    Key("start_ms", MS, "where in the audio it starts", "required"),
    Key("end_ms", MS, "where it ends", "required"),
    Key("confidence", SHARE, "of the word", "0.9"),
    Key("shown_after_ms", MS, f"when it appears, {_AFTER_WORD}", str(SHOWN_AFTER_MS)),
    Key("final_after_ms", MS, f"when it is final, {_AFTER_WORD}, unless its turn ends sooner", str(FINAL_AFTER_MS)),
    Key("end_of_turn_confidence", SHARE, "that the turn is over, while it is the last word", "0"),
    Key("formatted", TEXT, "its text in the formatted final, if that is another one", "`text`"),
)

TURN_KEYS = (
    Key("text", TEXT, "what is said, with capitals and punctuation", "required"),
    Key("start_ms", MS, "where in the audio it starts", "`pause_ms` after the turn before"),
    Key("pause_ms", MS, "silence before it, instead of `start_ms`", f"{PAUSE_MS}; first turn: {FIRST_START_MS}"),
    Key("end_ms", MS, "where it ends", "at the pace of calm speech"),
    Key("confidence", SHARE, "of every word", "0.9"),
    Key(
        "end_of_turn_confidence",
        SHARE,
        "that the turn is over; below the client's threshold it takes the longest silence to end it",
        str(END_OF_TURN_CONFIDENCE),
    ),
)

FAULT_KEYS = (
    Key("at", one_of(*At), "the moment: before `Begin`, when Terminate comes, or before `Termination`"),
    Key("after_audio_ms", MS, "the moment: so much audio has come, and what was heard in it has been told"),
    Key("after_messages", COUNT, "the moment: so many messages were said, `Begin` included"),
    Key("close", CLOSE_CODE, "say `Error` and close with this code; the session is over"),
    Key("error", ANY_TEXT, "text of that `Error`; empty: none is said", '"Fault of the script"; none for 1000'),
    Key("drop", YES, "cut the connection without a close"),
    Key("delay_ms", SOME_MS, "say nothing for so long, in real time, then go on"),
    Key("send", ANY_TEXT, "say this text, however malformed"),
    Key("silent", YES, "say nothing any more, and keep the connection open"),
)

_ACTS = ("close", "drop", "delay_ms", "send", "silent")
_MOMENTS = ("at", "after_audio_ms", "after_messages")

SESSION_KEYS = (
    Key("turns", TABLES, "what is said, see below"),
    Key("words", TABLES, "instead of turns: single words with their times, see below"),
    Key("messages", TABLES, "messages to say as they are, see below"),
    Key("faults", TABLES, "what goes wrong, see below"),
    Key("partial_every_ms", SOME_MS, "words appear and become final only at multiples of this", "when they are due"),
    Key("frame_ms", SOME_MS, "the piece of audio that is judged at once", "20"),
)

PROGRAMME_KEYS = (
    Key("sessions", TABLES, "the first session, the second, …"),
    Key("after_last", one_of(*AfterLast), "what the sessions after these play", f'"{AfterLast.REPEAT}" the last'),
)

DEFAULT_ERROR = "Fault of the script"


def parse_programme(text: str, source: str) -> Programme:
    """Read a script: JSON where it begins like an object, else TOML. `source` is what messages call it.

    Raises:
        ScriptError: what is wrong, where, and what was expected.
    """
    place = Place(source)
    document = _document(text, place)
    if "sessions" not in document:
        read_table(document, PROGRAMME_KEYS + SESSION_KEYS, place)
        return Programme((_session({name: document[name] for name in document if name != "after_last"}, place),))
    values = read_table(document, PROGRAMME_KEYS, place)
    sessions = [_session(table, place.item("sessions", index)) for index, table in enumerate(values["sessions"])]
    if not sessions:
        raise place.error("sessions", "expected at least one")
    return Programme(tuple(sessions), AfterLast(values.get("after_last", AfterLast.REPEAT)))


def _document(text: str, place: Place) -> dict[str, Any]:
    try:
        if text.lstrip().startswith("{"):
            document: dict[str, Any] = json.loads(text)
            return document
        return tomllib.loads(text)
    except json.JSONDecodeError as error:
        raise place.error("", f"no JSON: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise place.error("", f"no TOML: {error}") from error
    except ValueError as error:  # Python converts no number of thousands of digits
        raise place.error("", f"a number that can't be read: {error}") from error
    except RecursionError as error:
        raise place.error("", "nested too deep") from error


def _session(table: Mapping[str, Any], place: Place) -> SessionScript:
    values = read_table(table, SESSION_KEYS, place)
    if "turns" in values and "words" in values:
        raise place.error("words", "expected turns or words, got both")
    words = _words(values.get("words", []), place) + _turns(values.get("turns", []), place)
    _check_order(words, place)
    every_ms = values.get("partial_every_ms")
    timeline = Script(words if every_ms is None else tuple(with_cadence(words, every_ms)), values.get("frame_ms", 20))
    messages = [_message(item, place.item("messages", i)) for i, item in enumerate(values.get("messages", []))]
    faults = [_fault(item, place.item("faults", i)) for i, item in enumerate(values.get("faults", []))]
    return SessionScript(timeline, (*messages, *faults))


def _words(tables: list[Mapping[str, Any]], place: Place) -> tuple[ScriptedWord, ...]:
    words = []
    for index, table in enumerate(tables):
        here = place.item("words", index)
        values = read_table(table, WORD_KEYS, here)
        _require(values, ("text", "start_ms", "end_ms"), here)
        words.append(ScriptedWord(**values))
    return tuple(words)


def _turns(tables: list[Mapping[str, Any]], place: Place) -> tuple[ScriptedWord, ...]:
    words: list[ScriptedWord] = []
    for index, table in enumerate(tables):
        words += _turn(table, words[-1].end_ms if words else None, place.item("turns", index))
    return tuple(words)


def _turn(table: Mapping[str, Any], previous_end_ms: int | None, place: Place) -> list[ScriptedWord]:
    values = read_table(table, TURN_KEYS, place)
    _require(values, ("text",), place)
    if "start_ms" in values and "pause_ms" in values:
        raise place.error("pause_ms", "expected start_ms or pause_ms, got both")
    pause_ms = values.get("pause_ms", FIRST_START_MS if previous_end_ms is None else PAUSE_MS)
    start_ms = values.get("start_ms", (previous_end_ms or 0) + pause_ms)
    end_ms = values.get("end_ms", start_ms + spoken_ms(values["text"]))
    earliest_ms = previous_end_ms or 0
    if start_ms < earliest_ms:
        raise place.error("start_ms", f"expected at least {earliest_ms}, where the turn before ends; got {start_ms}")
    if end_ms <= start_ms:
        raise place.error("end_ms", f"expected more than {start_ms}, where the turn starts; got {end_ms}")
    *words, last = spoken_words(values["text"], start_ms, end_ms, values.get("confidence", 0.9))
    confidence = values.get("end_of_turn_confidence", END_OF_TURN_CONFIDENCE)
    return [*words, replace(last, end_of_turn_confidence=confidence)]


def _check_order(words: tuple[ScriptedWord, ...], place: Place) -> None:
    end_ms = 0
    for index, word in enumerate(words):
        if not end_ms <= word.start_ms <= word.end_ms:
            raise place.item("words", index).error(
                "start_ms",
                f"{word.text!r} spans {word.start_ms} to {word.end_ms} ms, "
                f"expected a start of at least {end_ms} ms and an end not before it",
            )
        end_ms = word.end_ms


def _message(table: Mapping[str, Any], place: Place) -> Cue:
    message = dict(table)
    at_ms = message.pop("at_ms", None)
    if not MS.accepts(at_ms):
        raise place.error("at_ms", f"expected {MS.expected}, after which it is said")
    text = json.dumps(message, separators=(",", ":"), default=str)
    try:
        SERVER_CODEC.decode(text)
    except ProtocolError as error:
        raise place.error("", f"no message of a server: {error}") from error
    return Cue(AfterAudio(at_ms, or_at_end=True), Say(text))


def _fault(table: Mapping[str, Any], place: Place) -> Cue:
    values = read_table(table, FAULT_KEYS, place)
    moment, act = _only(values, _MOMENTS, "moment", place), _only(values, _ACTS, "act", place)
    if "error" in values and act != "close":
        raise place.error("error", "only close has one")
    return Cue(_moment(moment, values[moment]), _act(act, values))


def _only(values: Mapping[str, Any], names: tuple[str, ...], what: str, place: Place) -> str:
    given = [name for name in names if name in values]
    if len(given) != 1:
        raise place.error("", f"expected one {what}: {', '.join(names)}; got {' and '.join(given) or 'none'}")
    return given[0]


def _moment(name: str, value: Any) -> Moment:
    match name:
        case "at":
            return At(value)
        case "after_audio_ms":
            return AfterAudio(value)
        case _:
            return AfterMessages(value)


def _act(name: str, values: Mapping[str, Any]) -> Act:
    value = values[name]
    match name:
        case "close":
            return Close(value, values.get("error", "" if value == 1000 else DEFAULT_ERROR))
        case "drop":
            return Drop()
        case "delay_ms":
            return Pause(value)
        case "send":
            return Say(value)
        case _:
            return FallSilent()


def _require(values: Mapping[str, Any], names: tuple[str, ...], place: Place) -> None:
    for name in names:
        if name not in values:
            raise place.error(name, "is missing")
