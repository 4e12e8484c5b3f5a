"""Ends of turns on recorded conversations: confidence thresholds against plain silence timeouts.

All policies hear the same recordings, as recorded (the next speaker's words follow in the same stream). The
curves are on the audio clock, without a server: computing and sending come on top. The default also runs with
a server at real time, which must end the same turns; its latencies are those that a client sees.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bench.context import Context, Job, SectionSkipped, lag_note
from bench.dataset import SAMPLES_PER_MS, Recording
from bench.listening import default_recognizer, hear, on_all_cores
from bench.messages import Conversation, SentControl, ShownWord, TurnMessage
from bench.metrics import percentile
from bench.report import Figure, at_least, at_most
from bench.scoring import word_key
from bench.turn_metrics import TurnOutcome, first_finals, judge_turns
from bench.turn_policies import Duel, TurnPolicy, duels, mode_policy, silence_policy, threshold_policy, timeout_policy
from tympan.core.config import Finality, SessionConfig, TurnConfig
from tympan.core.events import TurnEnded
from tympan.wire.v3.modes import DEFAULT_MODE, MODES

_THRESHOLDS: tuple[float, ...] = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
_GRID: tuple[tuple[float, int], ...] = (
    *((0.2, shortest_ms) for shortest_ms in (200, 250, 300, 400, 560, 700, 900)),
    *((0.4, shortest_ms) for shortest_ms in (200, 300, 560, 700, 900, 1100)),
)
"""Threshold and least silence (ms)."""
_LONGEST_MS = 1_500
_TIMEOUTS_MS: tuple[int, ...] = (300, 500, 700, 900, 1100, 1300, 1500)
_DEFAULT = threshold_policy(TurnConfig().confidence_threshold)

_TARGETS = {"inner pauses cut": at_most(17), "end of turn p50": at_most(500)}


def run(context: Context) -> list[Figure]:
    recordings = context.dataset.recordings
    if not recordings:
        raise SectionSkipped("needs recorded conversations with true turns")
    thresholds, grid, timeouts_ms, modes = _THRESHOLDS, _GRID, _TIMEOUTS_MS, tuple(MODES)
    if context.is_quick:
        recordings = (min(recordings, key=lambda recording: recording.duration_ms),)
        thresholds, grid, timeouts_ms, modes = (0.4,), ((0.2, 300),), (500,), (DEFAULT_MODE,)
    policies = [
        *(threshold_policy(threshold) for threshold in thresholds),
        *(silence_policy(threshold, shortest_ms, _LONGEST_MS) for threshold, shortest_ms in grid),
        *(timeout_policy(timeout_ms) for timeout_ms in timeouts_ms),
        *(mode_policy(name) for name in modes),
    ]
    jobs = [(policy, recording) for policy in policies for recording in recordings]
    logs = on_all_cores(ends_of_turns, jobs)
    size = len(recordings)
    by_policy = {policy: logs[i * size : (i + 1) * size] for i, policy in enumerate(policies)}
    outcomes = {policy: _outcome(some, recordings) for policy, some in by_policy.items()}
    minutes = sum(recording.duration_ms for recording in recordings) / 60_000
    audio = f"{len(recordings)} conversations, {minutes:.1f} min"
    return [
        *_served(context, recordings, by_policy[_DEFAULT], audio),
        *_curves(outcomes, f"{audio}, audio clock"),
        *_duels(_word_by_word(outcomes), f"{audio}, audio clock"),
    ]


def ends_of_turns(job: tuple[TurnPolicy, Recording]) -> Conversation:
    """The ends alone, as a log, without a server; `at_ms` is audio judged."""
    policy, recording = job
    samples = recording.samples()
    ends: list[TurnMessage] = []
    for heard in hear(default_recognizer(), samples, SessionConfig(turn=policy.config)):
        for event in heard.events:
            if isinstance(event, TurnEnded):
                words = tuple(ShownWord(word.text, word.start_ms, word.end_ms, True) for word in event.words)
                text = " ".join(word.text for word in words)
                ends.append(TurnMessage(heard.judged_until_ms, event.turn_order, words, text, True, False))
    audio_ms = len(samples) // SAMPLES_PER_MS
    return Conversation(tuple(ends), (SentControl(audio_ms, "Terminate"),), audio_ms, 0.0, 0.0)


def _word_by_word(outcomes: dict[TurnPolicy, TurnOutcome]) -> dict[TurnPolicy, TurnOutcome]:
    """Those that the timeouts, which are settings of that profile too, are compared with."""
    return {policy: some for policy, some in outcomes.items() if policy.config.finality is Finality.WORDS}


def _outcome(logs: Sequence[Conversation], recordings: Sequence[Recording]) -> TurnOutcome:
    """Pooled over the recordings."""
    first, *others = (judge_turns(log, recording.turns) for log, recording in zip(logs, recordings, strict=True))
    return sum(others, first)


def same_turns(served: Conversation, heard: Conversation) -> tuple[int, int]:
    """Turns of the first log that the other has too, word by word with their times, and how many there are."""
    ours, theirs = ([_reading(turn) for turn in first_finals(log.turns)] for log in (served, heard))
    return sum(a == b for a, b in zip(ours, theirs, strict=False)), max(len(ours), len(theirs))


def _reading(turn: TurnMessage) -> list[tuple[str, int, int]]:
    return [(word_key(word.text), word.start_ms, word.end_ms) for word in turn.words]


def _served(
    context: Context, recordings: Sequence[Recording], heard: Sequence[Conversation], audio: str
) -> Iterator[Figure]:
    with context.server() as server:
        logs = context.hold_all(server, [Job(r.samples()) for r in recordings], at_once=len(recordings))
    audio = f"{audio}, real time, {len(recordings)} sessions at once"
    note = lag_note(logs)
    for name, value, unit, counts in _measures(_outcome(logs, recordings)):
        full_note = "; ".join(filter(None, [counts, note]))
        yield Figure("turns", f"default: {name}", value, unit, audio, _TARGETS.get(name), full_note)
    pairs = [same_turns(served, other) for served, other in zip(logs, heard, strict=True)]
    same, count = sum(same for same, _ in pairs), sum(count for _, count in pairs)
    share = 100 * same / max(1, count)
    yield Figure(
        "turns", "default: turns as on the audio clock", share, "%", audio, at_least(100), f"{same} of {count}"
    )


def _curves(outcomes: dict[TurnPolicy, TurnOutcome], audio: str) -> Iterator[Figure]:
    for policy, outcome in outcomes.items():
        for name, value, unit, _ in _measures(outcome):
            target = _TARGETS.get(name) if policy == _DEFAULT else None
            yield Figure("turns", name, value, unit, audio, target, variant=policy.name)


def _measures(outcome: TurnOutcome) -> Iterable[tuple[str, float, str, str]]:
    """Name, value and unit of each measure, and the counts behind it."""

    def share(name: str, count: int, among: int) -> tuple[str, float, str, str]:
        return name, 100 * count / max(1, among), "%", f"{name} {count} of {among}"

    yield share("true turns found", outcome.found, outcome.turns)
    yield share("inner pauses cut", outcome.cuts, outcome.inner_pauses)
    yield share("hesitations cut", outcome.hesitation_cuts, outcome.hesitations)
    yield share("natural pauses of 0.3–0.7 s cut", outcome.pause_cuts, outcome.pauses)
    yield "longer pauses cut", outcome.long_pause_cuts, "", ""
    yield "ends between words", outcome.word_gap_cuts, "", ""
    for percent in (50, 95):
        yield f"end of turn p{percent}", percentile(outcome.latencies_ms, percent), "ms", ""


def _duels(outcomes: dict[TurnPolicy, TurnOutcome], audio: str) -> Iterator[Figure]:
    fought = duels(outcomes, percents=(50,))
    for fights, at, target in (
        (fought, "p50", at_least(len(fought))),
        (duels(outcomes, percents=(50, 95)), "p50 and p95", None),
    ):
        beaten = [fight.timeout.name for fight in fights if fight.is_beaten]
        name = f"timeouts beaten by a confidence, as soon at {at}"
        note = (
            f"fewer premature ends, as many turns found, by the best of {len(outcomes) - len(fights)} settings; "
            f"beaten: {', '.join(beaten) or 'none'}"
        )
        yield Figure("turns", name, len(beaten), f"of {len(fights)}", audio, target, note)
    for fight in fought:
        yield from _duel(fight, outcomes, audio)


def _duel(fight: Duel, outcomes: dict[TurnPolicy, TurnOutcome], audio: str) -> Iterator[Figure]:
    sides = {"timeout": fight.timeout}
    note = "no confidence is as soon"
    if fight.confidence is not None:
        sides["confidence"] = fight.confidence
        note = f"{'beaten' if fight.is_beaten else 'not beaten'} by {fight.confidence.name}"
    for side, policy in sides.items():
        outcome = outcomes[policy]
        measures: list[tuple[str, float, str]] = [
            ("premature ends", outcome.premature, ""),
            ("hesitations cut", outcome.hesitation_cuts, ""),
            ("true turns found", outcome.found, ""),
            ("end of turn p50", percentile(outcome.latencies_ms, 50), "ms"),
            ("end of turn p95", percentile(outcome.latencies_ms, 95), "ms"),
        ]
        for name, value, unit in measures:
            yield Figure(
                "timeout against confidence", f"{side}: {name}", value, unit, audio, None, note, fight.timeout.name
            )
