"""Delays of a session. PURE.

Delays of words and turns are against the end of the word, on the clock of a microphone whose first sample was sent
when the audio began; they hold only for audio sent at its own pace.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from tympan.migrate.probe.findings import Latency
from tympan.migrate.probe.record import SessionRecord
from tympan.migrate.probe.v3_turns import finals_by_turn, turns_of, words_of_turn


def table(main: SessionRecord, control: SessionRecord | None) -> list[Latency]:
    """Every kind of delay that was measured."""
    begin = main.first("Begin")
    rows = [
        ("connect → Begin", [begin[0].at_s * 1000] if begin else []),
        ("word first shown", list(_first_shown(main))),
        ("word final", list(_final(main))),
        ("end of turn", list(_ends(main))),
        ("raw → formatted final", list(_formatted(main))),
        ("ForceEndpoint → final", list(_forced(control)) if control else []),
        ("Terminate → Termination", list(_terminated(main))),
    ]
    return [latency(name, delays) for name, delays in rows if delays]


def latency(name: str, delays_ms: Sequence[float]) -> Latency:
    """Nearest-rank percentiles of at least one delay."""
    ordered = sorted(delays_ms)
    p50, p95 = (ordered[max(0, math.ceil(share * len(ordered)) - 1)] for share in (0.5, 0.95))
    return Latency(name, len(ordered), round(p50, 1), round(p95, 1))


def _first_shown(record: SessionRecord) -> Iterator[float]:
    seen: set[tuple[int, int, str]] = set()
    for heard, turn in turns_of(record):
        if turn.get("turn_is_formatted") and turn.get("end_of_turn"):
            continue
        for place, word in enumerate(words_of_turn(turn)):
            key = (turn["turn_order"], place, str(word["text"]))
            delay_ms = record.audio_delay_ms(heard, word["end"])
            if key not in seen and delay_ms is not None:
                seen.add(key)
                yield delay_ms


def _final(record: SessionRecord) -> Iterator[float]:
    seen: set[tuple[int, int]] = set()
    for heard, turn in turns_of(record):
        for place, word in enumerate(words_of_turn(turn)):
            key = (turn["turn_order"], place)
            delay_ms = record.audio_delay_ms(heard, word["end"])
            if word.get("word_is_final") and key not in seen and delay_ms is not None:
                seen.add(key)
                yield delay_ms


def _ends(record: SessionRecord) -> Iterator[float]:
    for group in finals_by_turn(record).values():
        heard, turn = group[0]
        words = list(words_of_turn(turn))
        delay_ms = record.audio_delay_ms(heard, words[-1]["end"]) if words else None
        terminated_at_s = record.said_at_s("Terminate")
        was_ended_by_us = terminated_at_s is not None and heard.at_s >= terminated_at_s
        if delay_ms is not None and not was_ended_by_us:
            yield delay_ms


def _formatted(record: SessionRecord) -> Iterator[float]:
    for group in finals_by_turn(record).values():
        if len(group) > 1:
            yield (group[1][0].at_s - group[0][0].at_s) * 1000


def _forced(record: SessionRecord) -> Iterator[float]:
    ends = [group[0][0].at_s for group in finals_by_turn(record).values()]
    for said in record.said:
        if said.what == "ForceEndpoint":
            answers = [at_s for at_s in ends if at_s >= said.at_s]
            if answers:
                yield (answers[0] - said.at_s) * 1000


def _terminated(record: SessionRecord) -> Iterator[float]:
    asked_at_s, ended = record.said_at_s("Terminate"), record.first("Termination")
    if asked_at_s is not None and ended is not None:
        yield (ended[0].at_s - asked_at_s) * 1000
