"""What becomes final, and when."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from decodes import decode, heard, keys, word, words
from hypothesis import given
from hypothesis import strategies as st

from tympan.engines.moonshine.commit_score import ScoreWeights, score
from tympan.engines.moonshine.hypothesis import Decode, DecodedWord
from tympan.engines.moonshine.policy import CommitRule, PolicyConfig, ScoredAgreement

DOUBTFUL = -2.5


def told(policy: ScoredAgreement, *decodes: Decode) -> list[str]:
    """What became final at each of the decodes."""
    return [keys(policy.receive(each)) for each in decodes]


def test_nothing_is_final_at_the_first_decode() -> None:
    policy = ScoredAgreement()
    assert told(policy, heard("the cat sat.", 2000)) == [""]
    assert keys(policy.tentative) == "the cat sat"


def ruled(*rules: CommitRule) -> ScoredAgreement:
    return ScoredAgreement(PolicyConfig(rules))


@pytest.mark.parametrize(("before_ms", "final"), [(1500, "the cat"), (1501, "")])
def test_words_are_final_when_they_read_the_same_a_span_ago(before_ms: int, final: str) -> None:
    assert told(ruled(CommitRule(500)), heard("the cat", before_ms), heard("the cat sat", 2000))[-1] == final


@pytest.mark.parametrize(("above", "final"), [(0.0, "the"), (0.001, "")])
def test_a_rule_may_ask_for_a_score(above: float, final: str) -> None:
    before, now = heard("the", 1500), heard("the cat", 2000)
    needed = score(ScoreWeights(), now, 0, [before]) + above
    assert told(ruled(CommitRule(500, min_logit=needed)), before, now)[-1] == final


@pytest.mark.parametrize(("now_ms", "final"), [(1450, "the cat"), (1449, "the")])
def test_a_rule_may_ask_for_an_age(now_ms: int, final: str) -> None:
    policy = ruled(CommitRule(1, min_age_ms=1000))
    assert told(policy, heard("the cat", 1300), heard("the cat sat", now_ms))[-1] == final


def test_one_rule_is_enough() -> None:
    policy = ruled(CommitRule(100_000), CommitRule(500), CommitRule(1, min_logit=1000))
    assert told(policy, heard("the cat", 1500), heard("the cat sat", 2000))[-1] == "the cat"


@pytest.mark.parametrize(("is_unbroken", "final"), [(True, "the"), (False, "the cat")])
def test_a_word_that_read_otherwise_within_the_span_breaks_it(is_unbroken: bool, final: str) -> None:
    policy = ScoredAgreement(PolicyConfig((CommitRule(500),), is_unbroken=is_unbroken))
    decodes = heard("the cat", 1500), heard("the cap", 1750), heard("the cat sat", 2000)
    assert told(policy, *decodes)[-1] == final


def test_without_rules_nothing_is_final_before_a_flush() -> None:
    policy = ruled()
    assert told(policy, heard("the cat", 1000), heard("the cat", 9000)) == ["", ""]
    assert keys(policy.flush(heard("the cat", 9500))) == "the cat"


def test_a_doubtful_word_holds_back_a_sure_one_after_it() -> None:
    spoken = [word("the", 0), word("cat", 900, log_prob=DOUBTFUL), word("sat", 1200), word("on", 1400)]
    policy = ruled(CommitRule(500, min_logit=1.386))
    assert told(policy, decode(spoken, 1500), decode(spoken, 2000))[-1] == "the"


def test_words_that_read_otherwise_before_stay_tentative() -> None:
    policy = ScoredAgreement()
    assert told(policy, heard("the cap", 1500), heard("the cat sat", 2000))[-1] == "the"
    assert keys(policy.tentative) == "cat sat"


@pytest.mark.parametrize(
    ("last", "has_ended", "final"),
    [("cat", False, "the"), ("cat,", False, "the cat"), ("cat", True, "the cat")],
)
def test_the_last_word_waits_for_punctuation_or_end_of_text(last: str, has_ended: bool, final: str) -> None:
    decodes = [heard(f"the {last}", at, has_ended=has_ended) for at in (1500, 2000)]
    assert told(ScoredAgreement(), *decodes)[-1] == final


@pytest.mark.parametrize(("now_ms", "final"), [(1099, ""), (1100, "the")])
def test_nothing_is_final_before_the_window_holds_enough(now_ms: int, final: str) -> None:
    policy = ScoredAgreement(PolicyConfig((CommitRule(500),), earliest_ms=1100))
    assert told(policy, heard("the cat", 500), heard("the cat", now_ms))[-1] == final


def test_a_decode_without_words_makes_nothing_final() -> None:
    policy = ScoredAgreement()
    assert told(policy, heard("", 1500), heard("", 2000)) == ["", ""]


def test_a_final_word_keeps_its_text_when_later_decodes_differ() -> None:
    policy = ScoredAgreement()
    told(policy, heard("the cat", 900), heard("the cat sat", 1400), heard("the cap sat on", 1600))
    assert keys(policy.final) == "the cat"
    assert keys(policy.tentative) == "sat on"


def test_a_flush_makes_the_whole_remainder_final() -> None:
    policy = ScoredAgreement()
    told(policy, heard("the cat", 1500), heard("the cat sat", 2000))
    assert keys(policy.flush(heard("the cat sat on", 2250))) == "sat on"
    assert keys(policy.final) == "the cat sat on"
    assert policy.tentative == ()


def test_a_flush_with_the_same_decode_again_changes_nothing() -> None:
    policy = ScoredAgreement()
    policy.flush(heard("the cat", 1500))
    assert policy.flush(heard("the cat", 1800)) == ()


def test_the_turn_goes_on_after_a_flush() -> None:
    policy = ScoredAgreement()
    policy.flush(heard("the cat", 1500))
    assert told(policy, heard("the cat sat on", 2000), heard("the cat sat on", 2500))[-1] == "sat"


def test_words_before_the_window_stay_final_but_are_not_expected() -> None:
    policy = ScoredAgreement()
    policy.flush(decode(words("the cat sat"), 1500))
    policy.trim(450)
    later = decode(words("sat down here", begin_ms=500), 2000, begin_ms=450)
    policy.receive(later)
    assert keys(policy.final) == "the cat sat"
    assert keys(policy.tentative) == "down here"


def test_agreement_reaches_back_over_a_trim() -> None:
    policy = ScoredAgreement()
    policy.flush(heard("the cat", 1000))
    policy.receive(heard("the cat sat down here", 1500))
    policy.trim(450)
    assert keys(policy.receive(decode(words("sat down here", begin_ms=500), 2000, begin_ms=450))) == "sat down"


def test_a_reset_forgets_the_turn() -> None:
    policy = ScoredAgreement()
    told(policy, heard("the cat", 1500), heard("the cat sat", 2000))
    policy.trim(300)
    policy.reset()
    assert (policy.final, policy.tentative) == ((), ())
    assert told(policy, heard("the cat sat", 2500)) == [""]


def test_a_word_that_begins_before_the_last_final_one_is_moved() -> None:
    policy = ScoredAgreement()
    policy.flush(decode([word("the", 400, 600)], 1500))
    (cat,) = policy.flush(decode([word("the", 100, 200), word("cat", 300, 350)], 2000))
    assert (cat.start_ms, cat.end_ms) == (400, 400)


def test_final_words_whose_time_was_off_are_still_expected_after_a_trim() -> None:
    policy = ScoredAgreement()
    policy.flush(decode([word("system.", 400, 600), word("for", 600, 650), word("more", 650, 700)], 1500))
    again = [word("system.", 400, 600), word("for", 800, 900), word("more", 900, 1000)]
    policy.flush(decode(again, 2000))
    policy.trim(750)  # behind "system."; "for" was final with a time before it
    assert policy.flush(decode([*again[1:], word("news", 1000, 1200)], 3000)) != ()
    assert keys(policy.final) == "system for more news"


spoken = st.lists(
    st.builds(
        word,
        st.sampled_from(["a", "b.", "cat", "dog,"]),
        st.integers(0, 5000),
        st.none(),
        log_prob=st.floats(-6, 0),
        margin=st.floats(0, 9),
    ),
    max_size=12,
)
made = st.builds(
    lambda heard, kind, has_ended: (decode(heard, 0, has_ended=has_ended), kind),
    spoken,
    st.sampled_from(["receive", "receive", "receive", "flush", "trim"]),
    st.booleans(),
)


def say(policy: ScoredAgreement, made_of: Decode, kind: str) -> tuple[DecodedWord, ...]:
    if kind == "flush":
        return policy.flush(made_of)
    if kind == "trim" and policy.final:
        policy.trim(policy.final[-1].start_ms)
    return policy.receive(made_of)


@given(st.lists(made, max_size=12))
def test_final_words_are_only_ever_appended_to_and_start_in_order(steps: list[tuple[Decode, str]]) -> None:
    policy, told_so_far = ScoredAgreement(), ()
    for index, (made_of, kind) in enumerate(steps):
        told_so_far += say(policy, replace(made_of, judged_until_ms=1000 + 250 * index), kind)
        assert policy.final == told_so_far
        shown = policy.final + policy.tentative
        assert all(each.start_ms <= each.end_ms for each in shown)
        assert all(a.start_ms <= b.start_ms for a, b in pairwise(shown))


@given(st.lists(made, max_size=8), spoken)
def test_a_flush_leaves_nothing_tentative(steps: list[tuple[Decode, str]], last: list[DecodedWord]) -> None:
    policy = ScoredAgreement()
    for index, (made_of, kind) in enumerate(steps):
        say(policy, replace(made_of, judged_until_ms=1000 + 250 * index), kind)
    policy.flush(decode(last, 9000))
    assert policy.tentative == ()


@given(st.text("abc ", max_size=40))
def test_words_that_stay_the_same_all_become_final_without_a_flush(text: str) -> None:
    policy = ScoredAgreement()
    told(policy, *(heard(text, at, has_ended=True) for at in range(1000, 15000, 250)))
    assert keys(policy.final) == " ".join(text.split())
