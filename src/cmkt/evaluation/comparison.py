"""Two systems on the same mixtures: the paired difference and how sure it is.

The interval is a percentile bootstrap (Efron and Tibshirani, 1993, chapter 13) that draws whole utterances with all
their SNRs, because the mixtures of one utterance are not independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from cmkt.errors import ConfigError, DataError
from cmkt.evaluation.record import latest
from cmkt.evaluation.summary import utterance_means

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cmkt.evaluation.record import Item, Score

NAMED = 5


@final
@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the bounds of its 95% interval; `low` and `high` equal the mean where there is one observation."""

    mean: float
    low: float
    high: float


@final
@dataclass(frozen=True, slots=True)
class Comparison:
    """`system` minus `baseline` in one metric, over utterances; `missing` mixtures lacked a value in either."""

    metric: str
    baseline: str
    system: str
    difference: Interval
    utterances: int
    missing: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.utterances > 1 and (self.difference.low > 0 or self.difference.high < 0)


def bootstrap_mean(values: Sequence[float], *, rng: np.random.Generator, resamples: int = 2000) -> Interval:
    """The mean of independent observations, one a cluster, with its 95% percentile interval.

    Raises: DataError where there is no observation; ConfigError where there are fewer than 100 resamples.
    """
    if resamples < 100:
        raise ConfigError(f"`resamples` must be at least 100, but is {resamples}.")
    observed = np.asarray(values, dtype=np.float64)
    if observed.size == 0:
        raise DataError("A mean needs at least one value, but there is none. Evaluate more utterances.")
    means = np.array([observed[rng.integers(observed.size, size=observed.size)].mean() for _ in range(resamples)])
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(observed.mean()), float(low), float(high))


def compare(
    scores: Iterable[Score], *, baseline: str, system: str, metric: str, resamples: int = 2000, seed: int = 0
) -> Comparison:
    """The mean over utterances of (system - baseline), each utterance averaged over its SNRs first.

    Raises: DataError where the two were not scored on the same mixtures, or share no mixture that has a value.
    """
    own = latest(scores)
    first = {item: score for (name, item), score in own.items() if name == baseline}
    second = {item: score for (name, item), score in own.items() if name == system}
    check_same_items(first, second, names=(baseline, system))
    both = [item for item in first if metric in first[item].metrics and metric in second[item].metrics]
    if not both:
        raise DataError(f"`{metric}` must have a value for {baseline} and {system} on some mixture, but has none.")
    means = utterance_means((item.id, second[item].metrics[metric] - first[item].metrics[metric]) for item in both)
    interval = bootstrap_mean(list(means.values()), rng=np.random.default_rng(seed), resamples=resamples)
    return Comparison(metric, baseline, system, interval, len(means), len(first) - len(both))


def check_same_items(first: dict[Item, Score], second: dict[Item, Score], *, names: tuple[str, str]) -> None:
    """Refuses two systems that were scored on different mixtures.

    Raises: DataError that names the mixtures that differ: one lacks them, or their seed, noise or data is another.
    """
    for own, name in zip((first, second), names, strict=True):
        if not own:
            raise DataError(f"`{name}` must have scores, but has none. Evaluate it first.")
    for own, other, name in ((first, second, names[1]), (second, first, names[0])):
        if absent := [item for item in own if item not in other]:
            raise DataError(
                f"Both systems must be scored on the same mixtures, but `{name}` lacks {len(absent)}: {_named(absent)}."
                " Run `cmkt evaluate` with both."
            )
    if differing := [item for item in first if _mixture(first[item]) != _mixture(second[item])]:
        raise DataError(
            f"Both systems must be scored on the same mixtures, but {len(differing)} differ in seed, noise or data: "
            f"{_named(differing)}. Run `cmkt evaluate` with both."
        )


def _mixture(score: Score) -> tuple[int, str, tuple[str, ...]]:
    return score.seed, score.data, score.noise_ids


def _named(items: Sequence[Item]) -> str:
    names = ", ".join(f"{item.id} at {item.snr_db:g} dB" for item in items[:NAMED])
    return names + (", ..." if len(items) > NAMED else "")
