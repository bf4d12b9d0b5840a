from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from cmkt.errors import ConfigError, DataError
from cmkt.evaluation.arm_comparison import compare_arms
from cmkt.evaluation.arms import Arm
from cmkt.evaluation.record import Score
from cmkt.evaluation.run_scores import Evaluated

SNRS_DB = (0.0, 10.0)


def run(name: str, *, shift: float = 0.0, utterances: int = 24, speakers: int | None = None) -> Evaluated:
    """Scores that move with the run as a whole by `shift`, and a little on each utterance by itself."""
    rng = np.random.default_rng(list(name.encode()))
    scores = {}
    for number in range(utterances):
        speaker = None if speakers is None else str(number % speakers)
        for snr_db in SNRS_DB:
            value = 0.5 + 0.02 * number + 0.01 * snr_db + shift + rng.normal(0.0, 0.001)
            score = Score(str(number), snr_db, name, name, "d", 0, 1.0, speaker=speaker, metrics={"stoi": value})
            scores[score.item] = score
    return Evaluated(name, scores)


def arm(name: str, shifts: tuple[float, ...], **about: int) -> Arm:
    return Arm(name, tuple(run(f"{name}-{number}", shift=shift, **about) for number, shift in enumerate(shifts)))


LUCK = (0.0, 0.03, -0.02)
PLAIN = arm("plain", LUCK)


def test_a_gain_that_every_seed_has_is_seen_where_seeds_are_paired() -> None:
    gained = arm("transfer", tuple(shift + 0.02 for shift in LUCK))
    (paired,) = compare_arms([PLAIN, gained], ["stoi"], paired=True)
    (apart,) = compare_arms([PLAIN, gained], ["stoi"], paired=False)
    assert paired.seeded.interval.mean == pytest.approx(0.02, abs=0.001)
    assert paired.differs
    assert not apart.differs
    assert apart.comparison.excludes_zero
    assert apart.detectable > 0.05 > paired.detectable


def test_the_runs_at_hand_may_differ_where_their_seeds_explain_it() -> None:
    (found,) = compare_arms([PLAIN, arm("lucky", (0.03, 0.04, -0.01))], ["stoi"], paired=False)
    assert found.comparison.difference.low > 0
    assert found.seeded.interval.low < 0
    assert found.seeded.from_seeds > 0.9
    assert not found.differs


def test_both_intervals_are_around_one_mean_over_utterances_and_snrs() -> None:
    (found,) = compare_arms([PLAIN, arm("other", (0.1, 0.1, 0.1))], ["stoi"], paired=False)
    assert found.seeded.interval.mean == pytest.approx(found.comparison.difference.mean)
    assert (found.comparison.baseline, found.comparison.system) == ("plain", "other")
    assert (found.comparison.utterances, found.comparison.independent, found.runs) == (24, 24, (3, 3))


def test_speakers_are_independent_where_they_repeat() -> None:
    pair = [arm(name, LUCK, speakers=12) for name in ("plain", "other")]
    (found,) = compare_arms(pair, ["stoi"], paired=False)
    assert (found.comparison.independent, found.comparison.drawn_by) == (12, "speaker")
    one = [arm(name, shifts, speakers=1) for name, shifts in (("plain", LUCK), ("other", (0.5, 0.5, 0.5)))]
    (alone,) = compare_arms(one, ["stoi"], paired=False)
    assert alone.seeded.interval.low > 0
    assert not alone.differs


def test_every_later_arm_is_compared_and_the_correction_is_over_all() -> None:
    found = compare_arms([PLAIN, arm("b", (0.0, 0.01, 0.1)), arm("c", (0.2, 0.3, 0.4))], ["stoi"], paired=False)
    assert [each.comparison.system for each in found] == ["b", "c"]
    assert found[1].corrected_p == pytest.approx(min(1.0, 2 * found[1].seeded.p))


def test_two_runs_see_only_what_is_very_large() -> None:
    (many,) = compare_arms([PLAIN, arm("better", tuple(shift + 0.1 for shift in LUCK))], ["stoi"], paired=False)
    shifts = (0.0, 0.03)
    few, large = (
        compare_arms([arm("plain", shifts), arm("b", tuple(s + gain for s in shifts))], ["stoi"], paired=False)[0]
        for gain in (0.08, 0.3)
    )
    assert many.differs
    assert not few.differs
    assert large.differs
    assert few.detectable > many.detectable


def test_the_p_value_is_that_of_the_runs_means_where_seeds_are_all_that_varies() -> None:
    other = (0.2, 0.1, 0.25)
    (found,) = compare_arms([PLAIN, arm("other", other)], ["stoi"], paired=False)
    assert found.seeded.p == pytest.approx(stats.ttest_ind(other, LUCK, equal_var=False).pvalue, rel=0.05)


def test_a_mixture_that_one_run_lacks_a_value_for_is_left_out_and_counted() -> None:
    first, *others = PLAIN.runs
    item = next(iter(first.scores))
    holed = Evaluated(first.name, first.scores | {item: replace(first.scores[item], metrics={})})
    (found,) = compare_arms([Arm("plain", (holed, *others)), arm("other", LUCK)], ["stoi"], paired=False)
    assert (found.comparison.missing, found.comparison.utterances) == (1, 24)


def test_a_metric_that_a_run_lacks_altogether_is_not_compared() -> None:
    assert compare_arms([PLAIN, arm("other", LUCK)], ["pesq_wb"], paired=False) == []


def test_runs_on_different_mixtures_are_refused_by_name_in_any_arm() -> None:
    short = run("plain-short", utterances=23)
    with pytest.raises(DataError, match="`plain-short` lacks 2: 23 at 0 dB, 23 at 10 dB"):
        compare_arms([Arm("plain", (*PLAIN.runs, short)), arm("other", LUCK)], ["stoi"], paired=False)


def test_words_measured_in_another_way_in_any_run_are_refused() -> None:
    def counted(system: Evaluated, words: str) -> Evaluated:
        return Evaluated(
            system.name,
            {item: replace(score, words=words, metrics={"identified": 1.0}) for item, score in system.scores.items()},
        )

    arms = [
        Arm("plain", (counted(run("a"), "10 others"), counted(run("b"), "3 others"))),
        Arm("other", (counted(run("c"), "10 others"),)),
    ]
    with pytest.raises(DataError, match=r"10 others.*3 others"):
        compare_arms(arms, ["identified"], paired=False)


def test_pairs_need_as_many_runs_in_each_arm() -> None:
    with pytest.raises(ConfigError, match="`plain` has 3 and `other` 2"):
        compare_arms([PLAIN, arm("other", (0.0, 0.1))], ["stoi"], paired=True)
