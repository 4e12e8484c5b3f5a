"""The frontier of commit policies: what immutable words cost in accuracy, and how soon they come.

The engine hears each utterance once, in a session of its own with default settings; the policies are then
replayed over what it decoded (`bench.policy_sweep`). Everything is on the audio clock.
"""

from __future__ import annotations

from bench.context import Context
from bench.dataset import spread
from bench.listening import on_all_cores
from bench.offline import offline_errors
from bench.policy_sweep import DEFAULT, ROWS, judge, measures, replayed
from bench.report import Figure, at_least, at_most
from bench.scoring import total
from bench.traces import record

_QUICK_MS = 60_000


def run(context: Context) -> list[Figure]:
    utterances = context.dataset.utterances
    if context.is_quick:
        utterances = tuple(spread(utterances, _QUICK_MS))
    traces = on_all_cores(record, utterances)
    minutes = sum(utterance.duration_ms for utterance in utterances) / 60_000
    audio = f"{context.dataset.name}: {len(utterances)} utterances, {minutes:.1f} min, audio clock"
    outcomes = {name: [judge(trace, row) for trace in traces] for name, row in ROWS.items()}
    offline = offline_errors(utterances).percent
    same = sum(tuple(replayed(trace, ROWS[DEFAULT]).finals) == trace.final_words for trace in traces)
    figures = [
        Figure(
            "policy",
            "replay of the default equals the engine",
            100 * same / len(traces),
            "% of sessions",
            audio,
            at_least(100),
            "every final word: its text, its times, and when it became final",
        ),
        Figure("policy", "offline greedy decode", offline, "% WER", audio),
    ]
    for name, clips in outcomes.items():
        over = total(outcome.errors for outcome in clips).percent - offline
        target = at_most(1.5) if name == DEFAULT else None
        figures.append(Figure("policy", "over offline", over, "points", audio, target, variant=name))
        figures += [
            Figure("policy", measure, value, unit, audio, variant=name)
            for measure, value, unit in measures(clips, outcomes[DEFAULT])
        ]
    return figures
