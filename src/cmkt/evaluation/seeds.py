"""Training seeds as a random effect: how sure the difference of two arms is when each was trained several times.

An arm is a configuration; its runs differ by seed. Every run enhanced the same utterances, so utterances and seeds are
crossed: y[s, u] = arm + seed s + utterance u + their interaction. The variance of the difference of the arms' means is
estimated as in a two-way analysis of variance without replication,

    V = V_seeds + max(V_utterances - V_both, 0).

V_seeds is the variance of the runs' means over the number of runs; V_utterances that of the utterances' differences,
averaged over runs, over the number of utterances. Each holds V_both, the interaction, so one is taken off. So far this
is how several readers (here seeds) of several cases (here utterances) are analysed in radiology: Obuchowski and
Rockette, Communications in Statistics - Simulation and Computation, 1995; Hillis, Statistics in Medicine, 2007.
Utterances may come in clusters (speakers); sums over clusters stand for utterances, as in cluster-robust variances.

The interval gives each part the quantile of Student's t for its own degrees of freedom (as Cochran and Cox,
Experimental Designs, 1950, for two means): half its width is sqrt(t_seeds^2 V_seeds + t_utterances^2 (V - V_seeds)).
Satterthwaite's degrees of freedom for V were tried and are too narrow: where two of few seeds come out alike by chance,
they take V_seeds to be known (with two paired seeds the truth is inside in 0.87 to 0.93 of repetitions, with three in
0.92 to 0.95).

`benchmarks/seed_coverage.py` measures how often the interval holds the truth.
Shapes: S runs of an arm, U utterances.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, final

import numpy as np
from scipy import optimize

from cmkt.errors import ConfigError
from cmkt.evaluation.bootstrap import Interval
from cmkt.evaluation.power import student_t

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

MOST_DEGREES: Final = 1e6
"""Degrees of freedom where there is no spread at all."""
SMALLEST_P: Final = 1e-100


class Variance(NamedTuple):
    """A part of the variance of the difference, and the degrees of freedom of its estimate."""

    value: float
    degrees: float


@final
@dataclass(frozen=True, slots=True)
class SeededDifference:
    """The second arm minus the first, in the unit of the metric, and how sure it is over seeds and utterances.

    interval: 95%; p: two-sided, below 0.05 where the interval excludes zero; standard_error: of the difference;
    degrees: of freedom of the t distribution that would give this interval with this standard error; from_seeds: the
    share of the variance, 0 to 1, that the spread over seeds makes up; baseline_deviation, system_deviation: standard
    deviation of the runs' means in each arm, None where an arm has one run.
    """

    interval: Interval
    standard_error: float
    degrees: float
    p: float
    from_seeds: float
    baseline_deviation: float | None
    system_deviation: float | None


def seeded_difference(
    first: NDArray[np.float64], second: NDArray[np.float64], *, clusters: Sequence[Hashable], paired: bool
) -> SeededDifference:
    """The mean of `second` minus that of `first`, each (S, U), with an interval for other seeds and other utterances.

    clusters: what is independent, one name for each of the U utterances; where there is one cluster, the interval is
    for other seeds alone. paired: run s of either arm shares its seed (initial weights and batches), so that what
    varies are the differences within a seed. An arm of a single run is taken to vary over seeds as the other one does.

    Raises: ConfigError where the shapes do not fit each other, or neither arm has two runs.
    """
    _check(first, second, clusters, paired=paired)
    number_of: dict[Hashable, int] = {}
    numbers = np.asarray([number_of.setdefault(name, len(number_of)) for name in clusters])
    arms = [_Arm(second - first, numbers)] if paired else [_Arm(first, numbers), _Arm(second, numbers)]
    gains = second.mean(axis=0) - first.mean(axis=0)
    seeds = _over_seeds(arms)
    beyond = max(_squares(gains - gains.mean(), numbers) - _interaction(arms), 0.0)
    parts = [part for part in (seeds, Variance(beyond, numbers.max())) if part.value > 0]
    mean, error = float(gains.mean()), math.sqrt(sum(part.value for part in parts))
    half = _half_width(parts, 0.05)
    return SeededDifference(
        interval=Interval(mean, mean - half, mean + half),
        p=_p_value(parts, abs(mean)),
        standard_error=error,
        degrees=_degrees(parts, half, error),
        from_seeds=seeds.value / error**2 if error else 0.0,
        baseline_deviation=_deviation(first),
        system_deviation=_deviation(second),
    )


@final
class _Arm:
    """What is known of the spread of some runs (S, U): None where there is one run alone."""

    def __init__(self, runs: NDArray[np.float64], numbers: NDArray[np.int_]) -> None:
        self.runs = len(runs)
        self.of_means: float | None = None
        self.of_interaction: float | None = None
        if self.runs > 1:
            means = runs.mean(axis=1, keepdims=True)
            rest = runs - means - runs.mean(axis=0) + means.mean()
            self.of_means = float(means.var(ddof=1))
            self.of_interaction = sum(_squares(each, numbers) for each in rest) / (self.runs - 1)


def _over_seeds(arms: Sequence[_Arm]) -> Variance:
    """V_seeds, with the degrees of freedom of Welch (Biometrika, 1947) where there are two arms.

    An arm of one run borrows from the other.
    """
    known = [Variance(arm.of_means / arm.runs, arm.runs - 1) for arm in arms if arm.of_means is not None]
    if len(known) < len(arms):
        runs = [arm.runs for arm in arms]
        return Variance(known[0].value * max(runs) * sum(1 / count for count in runs), known[0].degrees)
    total = sum(part.value for part in known)
    weighed = sum(part.value**2 / part.degrees for part in known)
    return Variance(total, total**2 / weighed if weighed else sum(part.degrees for part in known))


def _interaction(arms: Sequence[_Arm]) -> float:
    """V_both."""
    borrowed = next(arm.of_interaction for arm in arms if arm.of_interaction is not None)
    return sum((borrowed if arm.of_interaction is None else arm.of_interaction) / arm.runs for arm in arms)


def _squares(centred: NDArray[np.float64], numbers: NDArray[np.int_]) -> float:
    """The variance of the mean of U values in clusters, from their distances to it; 0 where there is one cluster.

    s^2 / U where every cluster is one utterance.
    """
    sums = np.bincount(numbers, weights=centred)
    if sums.size < 2:
        return 0.0
    return float(sums @ sums) * sums.size / (sums.size - 1) / centred.size**2


def _half_width(parts: Sequence[Variance], level: float) -> float:
    """Half the width of the interval that misses the truth at this rate."""
    return math.sqrt(sum(student_t(level, part.degrees) ** 2 * part.value for part in parts))


def _p_value(parts: Sequence[Variance], distance: float) -> float:
    """The level of the interval that just reaches zero."""
    if not parts or distance == 0:
        return float(distance == 0)
    if _half_width(parts, SMALLEST_P) < distance:
        return SMALLEST_P
    found = optimize.brentq(lambda exponent: _half_width(parts, 10**exponent) - distance, math.log10(SMALLEST_P), 0.0)
    return float(10**found)


def _degrees(parts: Sequence[Variance], half: float, error: float) -> float:
    if not parts:
        return MOST_DEGREES
    few, many = min(part.degrees for part in parts), max(part.degrees for part in parts)
    if few == many:
        return float(few)
    found = optimize.brentq(lambda degrees: student_t(0.05, degrees) * error - half, 0.999 * few, 1.001 * many)
    return float(found)


def _deviation(runs: NDArray[np.float64]) -> float | None:
    return float(runs.mean(axis=1).std(ddof=1)) if len(runs) > 1 else None


def _check(
    first: NDArray[np.float64], second: NDArray[np.float64], clusters: Sequence[Hashable], *, paired: bool
) -> None:
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1] or first.shape[1] != len(clusters):
        raise ConfigError(
            "Both arms must be (runs, utterances) with one cluster for each utterance, but are "
            f"{first.shape} and {second.shape} with {len(clusters)} clusters."
        )
    if not clusters or max(len(first), len(second)) < 2 or min(len(first), len(second)) < 1:
        raise ConfigError(
            "Seeds must be seen in two runs or more of one arm, on one utterance or more, but there are "
            f"{len(first)} and {len(second)} runs on {len(clusters)}."
        )
    if paired and len(first) != len(second):
        raise ConfigError(
            f"Paired arms must have as many runs as each other, but have {len(first)} and {len(second)}. "
            "Compare them without pairing."
        )
