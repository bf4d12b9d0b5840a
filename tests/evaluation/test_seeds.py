"""The interval over seeds and utterances: by hand, at its ends, and by how often it holds a truth that is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from cmkt.errors import ConfigError
from cmkt.evaluation.seeds import seeded_difference

SPEAKERS = np.repeat(np.arange(20), 2)


def draw(
    seeds: int, rng: np.random.Generator, *, spread: float = 0.5, shared: NDArray[np.float64] | float = 0.0
) -> NDArray[np.float64]:
    """An arm (S, 40): seeds, what its network likes of speakers, and a rest, over utterances that differ anyway."""
    liking = rng.normal(0.0, 0.3, 20)[SPEAKERS]
    rest = rng.normal(0.0, 1.0, (seeds, SPEAKERS.size))
    return np.asarray(rng.normal(0.0, spread, (seeds, 1)) + shared + liking + rest + 3 * np.sin(np.arange(40)))


def test_two_paired_seeds_by_hand() -> None:
    # Differences: seed 1 has 1 and 3, seed 2 has 2 and 6; D = 3. Means over seeds 1.5 and 4.5, over utterances 2 and 4.
    # V_seeds = var(2, 4) / 2 = 1. V_utterances = var(1.5, 4.5) / 2 = 2.25. What is left is +-0.5: MS = 1, V_both = .25.
    # V = 1 + 2.25 - 0.25 = 3, each part with one degree of freedom.
    found = seeded_difference(np.zeros((2, 2)), np.array([[1.0, 3.0], [2.0, 6.0]]), clusters=["a", "b"], paired=True)
    assert found.interval.mean == 3.0
    assert found.standard_error == pytest.approx(np.sqrt(3))
    assert found.degrees == 1.0
    assert found.interval.high - 3.0 == pytest.approx(np.sqrt(3) * stats.t.ppf(0.975, 1))
    assert found.p == pytest.approx(2 * stats.t.sf(np.sqrt(3), 1))
    assert found.from_seeds == pytest.approx(1 / 3)
    assert found.baseline_deviation == 0.0
    assert found.system_deviation == pytest.approx(np.sqrt(2))


def test_each_part_has_its_own_quantile() -> None:
    # The same with four utterances, two of a kind: V_seeds = 1 as before; the rest is of 3 degrees of freedom.
    second = np.array([[1.0, 3.0, 1.0, 3.0], [2.0, 6.0, 2.0, 6.0]])
    found = seeded_difference(np.zeros((2, 4)), second, clusters="abcd", paired=True)
    # Means over seeds 1.5 and 4.5 twice each: variance 3, V_utterances 3 / 4; +-0.5 each: MS = 2 / 3, V_both = 1 / 12.
    beyond = 3 / 4 - 1 / 12
    half = np.sqrt(stats.t.ppf(0.975, 1) ** 2 + stats.t.ppf(0.975, 3) ** 2 * beyond)
    assert found.interval.high - 3.0 == pytest.approx(half)
    assert found.standard_error == pytest.approx(np.sqrt(1 + beyond))
    assert stats.t.ppf(0.975, found.degrees) * found.standard_error == pytest.approx(half)
    half_at_p = np.sqrt(stats.t.isf(found.p / 2, 1) ** 2 + stats.t.isf(found.p / 2, 3) ** 2 * beyond)
    assert half_at_p == pytest.approx(3.0)


def test_seeds_that_move_all_utterances_alike_leave_the_t_test_of_their_means() -> None:
    means = np.array([[0.1], [0.4], [0.25]]), np.array([[0.3], [0.9], [0.5]])
    first, second = (each + np.linspace(0, 9, 12) for each in means)
    paired = seeded_difference(first, second, clusters=range(12), paired=True)
    assert paired.p == pytest.approx(stats.ttest_rel(means[1][:, 0], means[0][:, 0]).pvalue)
    assert paired.degrees == pytest.approx(2)
    apart = seeded_difference(first, second, clusters=range(12), paired=False)
    assert apart.p == pytest.approx(stats.ttest_ind(means[1][:, 0], means[0][:, 0], equal_var=False).pvalue)
    assert apart.from_seeds == pytest.approx(1.0)


def test_seeds_that_do_nothing_leave_the_t_test_of_the_utterances() -> None:
    rng = np.random.default_rng(0)
    first, second = (np.tile(rng.normal(size=30), (3, 1)) for _ in range(2))
    for paired in (True, False):
        found = seeded_difference(first, second, clusters=range(30), paired=paired)
        assert found.p == pytest.approx(stats.ttest_rel(second[0], first[0]).pvalue)
        assert found.degrees == pytest.approx(29)
        assert found.from_seeds == pytest.approx(0.0)


def test_sharing_a_seed_takes_what_it_does_to_both_out() -> None:
    rng = np.random.default_rng(0)
    shared = rng.normal(0.0, 5.0, (4, 1))
    first, second = (draw(4, rng, spread=0.1, shared=shared) for _ in range(2))
    paired, apart = (seeded_difference(first, second, clusters=list(SPEAKERS), paired=each) for each in (True, False))
    assert paired.interval.mean == pytest.approx(apart.interval.mean)
    assert apart.standard_error > 5 * paired.standard_error


def test_utterances_of_one_speaker_are_one_observation() -> None:
    rng = np.random.default_rng(0)
    once = rng.normal(size=(3, 15)), rng.normal(size=(3, 15))
    twice = [np.repeat(each, 2, axis=1) for each in once]
    expected = seeded_difference(*once, clusters=range(15), paired=False)
    found = seeded_difference(*twice, clusters=list(np.repeat(np.arange(15), 2)), paired=False)
    assert found.standard_error == pytest.approx(expected.standard_error)
    assert found.degrees == pytest.approx(expected.degrees)
    assert seeded_difference(*twice, clusters=range(30), paired=False).degrees != pytest.approx(expected.degrees)


def test_of_one_speaker_the_interval_is_for_other_seeds_alone() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(3, 6)), rng.normal(size=(3, 6))
    found = seeded_difference(first, second, clusters=["x"] * 6, paired=True)
    assert found.p == pytest.approx(stats.ttest_rel(second.mean(axis=1), first.mean(axis=1)).pvalue)


def test_a_single_run_is_taken_to_vary_as_the_other_arm_does() -> None:
    means = np.array([0.1, 0.4, 0.25]), np.array([1.0])
    first, second = (each[:, None] + np.zeros(12) for each in means)
    found = seeded_difference(first, second, clusters=range(12), paired=False)
    assert found.p == pytest.approx(stats.ttest_ind([1.0], means[0]).pvalue)
    assert found.system_deviation is None


def test_equal_arms_have_no_difference_at_all() -> None:
    values = np.ones((2, 3))
    found = seeded_difference(values, values, clusters=range(3), paired=False)
    assert (found.interval.low, found.interval.high, found.p, found.from_seeds) == (0.0, 0.0, 1.0, 0.0)
    assert seeded_difference(values, values + 1, clusters=range(3), paired=False).p == 0.0


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("spread", [0.0, 0.1, 0.5])
def test_with_three_seeds_the_interval_holds_the_truth_in_95_of_100_or_somewhat_more(
    paired: bool, spread: float
) -> None:
    rng = np.random.default_rng(0)
    held = []
    for _ in range(600):
        shared = rng.normal(0.0, 1.0, (3, 1)) if paired else 0.0
        first, second = (draw(3, rng, spread=spread, shared=shared) for _ in range(2))
        interval = seeded_difference(first, second + 0.7, clusters=list(SPEAKERS), paired=paired).interval
        held.append(interval.low <= 0.7 <= interval.high)
    # At least 0.95, with a standard error of 0.009 for 600 draws; see benchmarks/seed_coverage.py for more of them.
    assert 0.93 <= np.mean(held) <= 0.99


def test_p_values_of_equal_arms_are_even_where_those_over_utterances_alone_are_not() -> None:
    rng = np.random.default_rng(1)
    both, alone = [], []
    for _ in range(400):
        first, second = draw(3, rng), draw(3, rng)
        both.append(seeded_difference(first, second, clusters=list(SPEAKERS), paired=False).p < 0.05)
        gains = (second - first).mean(axis=0).reshape(20, 2).mean(axis=1)
        alone.append(stats.ttest_1samp(gains, 0.0).pvalue < 0.05)
    assert 0.01 < np.mean(both) < 0.07
    assert np.mean(alone) > 0.3


@pytest.mark.parametrize(
    ("first", "second", "clusters", "paired", "message"),
    [
        ((2, 3), (2, 4), 3, False, r"but are \(2, 3\) and \(2, 4\)"),
        ((2, 3), (2, 3), 2, False, "with 2 clusters"),
        ((3,), (3,), 3, False, "runs, utterances"),
        ((1, 3), (1, 3), 3, False, "1 and 1 runs"),
        ((2, 0), (2, 0), 0, False, "on 0"),
        ((0, 3), (2, 3), 3, False, "0 and 2 runs"),
        ((2, 3), (3, 3), 3, True, "have 2 and 3"),
    ],
)
def test_what_does_not_fit_is_refused(
    first: tuple[int, ...], second: tuple[int, ...], clusters: int, paired: bool, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        seeded_difference(np.zeros(first), np.zeros(second), clusters=range(clusters), paired=paired)
