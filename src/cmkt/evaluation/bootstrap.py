"""How sure a mean is: a percentile bootstrap (Efron and Tibshirani, 1993, chapter 13) over independent clusters.

The mixtures of one utterance at several SNRs are not independent, and neither are the utterances of one speaker. So
whole clusters are drawn: speakers where some speaker of the data has several utterances, utterances otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, final

import numpy as np

from cmkt.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

ClusterKind = Literal["utterance", "speaker"]

RESAMPLES = 2000
FEWEST_TRUSTED: Final = 10
"""The interval of fewer utterances, or of fewer independent clusters, is too narrow to be trusted."""
AT_ONCE = 2_000_000
"""How many random draws are held in memory at a time."""


@final
@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the bounds of its 95% interval; `low` and `high` equal the mean where there is one cluster."""

    mean: float
    low: float
    high: float


@final
@dataclass(frozen=True, slots=True)
class Clusters:
    """What is independent: `names[i]` is the cluster of utterance i, `by` says what a cluster is."""

    names: tuple[Hashable, ...]
    by: ClusterKind

    @property
    def count(self) -> int:
        """How many clusters there are."""
        return len(set(self.names))


def cluster_kind(speakers: Iterable[str | None]) -> ClusterKind:
    """What is independent in some data, given the speaker of each utterance: speakers where one of them repeats.

    It is decided over all of the data, so that every part of them is judged alike.
    """
    known = [speaker for speaker in speakers if speaker is not None]
    return "speaker" if len(set(known)) < len(known) else "utterance"


def find_clusters(speakers: Mapping[str, str | None], by: ClusterKind) -> Clusters:
    """The clusters of utterances, given the speaker of each (None where unknown: a cluster of its own).

    One speaker alone is one cluster, which gives no spread over speakers.
    """
    if by == "utterance":
        return Clusters(tuple(speakers), by)
    names = (("utterance", utterance) if who is None else ("speaker", who) for utterance, who in speakers.items())
    return Clusters(tuple(names), by)


def bootstrap_mean(
    values: Sequence[float],
    *,
    rng: np.random.Generator,
    clusters: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
) -> Interval:
    """The mean of all values with its 95% percentile interval; `clusters` names that of each value, by default its own.

    A resample draws as many clusters as there are, with replacement, and takes the mean of all their values.

    Raises: DataError where there is no value; ConfigError where there are fewer than 100 resamples, or the clusters
    are not one a value.
    """
    if resamples < 100:
        raise ConfigError(f"`resamples` must be at least 100, but is {resamples}.")
    observed = np.asarray(values, dtype=np.float64)
    if observed.size == 0:
        raise DataError("A mean needs at least one value, but there is none. Evaluate more utterances.")
    sums, sizes = _cluster_sums(observed, clusters)
    means = np.concatenate([_resampled(sums, sizes, count, rng) for count in _portions(resamples, sums.size)])
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(observed.mean()), float(low), float(high))


def _cluster_sums(observed: np.ndarray, clusters: Sequence[Hashable] | None) -> tuple[np.ndarray, np.ndarray]:
    if clusters is None:
        return observed, np.ones_like(observed)
    if len(clusters) != observed.size:
        raise ConfigError(f"`clusters` must name one for each of {observed.size} values, but names {len(clusters)}.")
    numbers: dict[Hashable, int] = {}
    index = [numbers.setdefault(name, len(numbers)) for name in clusters]
    return np.bincount(index, weights=observed), np.bincount(index).astype(np.float64)


def _portions(resamples: int, clusters: int) -> list[int]:
    largest = max(1, AT_ONCE // clusters)
    return [min(largest, resamples - start) for start in range(0, resamples, largest)]


def _resampled(sums: np.ndarray, sizes: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    drawn = rng.integers(sums.size, size=(count, sums.size))
    means: np.ndarray = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    return means
