"""Two systems on the same mixtures: the paired difference and how sure it is.

The interval is a bootstrap that draws whole speakers, or whole utterances with all their SNRs (see
`cmkt.evaluation.bootstrap`), because the mixtures of one utterance are not independent.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from cmkt.errors import DataError
from cmkt.evaluation.bootstrap import RESAMPLES, Interval, bootstrap_mean, find_clusters
from cmkt.evaluation.record import latest
from cmkt.evaluation.summary import utterance_means

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from cmkt.evaluation.record import Item, Score

NAMED = 5


@final
@dataclass(frozen=True, slots=True)
class Difference:
    """A mean paired difference over utterances, and how many utterances, mixtures and clusters it comes from.

    The interval draws `independent` clusters, which are speakers or utterances, as `drawn_by` says.
    """

    interval: Interval
    utterances: int
    mixtures: int
    independent: int
    drawn_by: str


@final
@dataclass(frozen=True, slots=True)
class Comparison:
    """`system` minus `baseline` in one metric, over utterances; `missing` mixtures lacked a value in either.

    `independent` and `drawn_by` as in `Difference`.
    """

    metric: str
    baseline: str
    system: str
    difference: Interval
    utterances: int
    missing: int
    independent: int
    drawn_by: str

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.independent > 1 and (self.difference.low > 0 or self.difference.high < 0)


def compare(
    scores: Iterable[Score], *, baseline: str, system: str, metric: str, resamples: int = RESAMPLES, seed: int = 0
) -> Comparison:
    """The mean over utterances of (system - baseline), each utterance averaged over its SNRs first.

    Raises: DataError where the two were not scored on the same mixtures, or share no mixture that has a value.
    """
    own = latest(scores)
    first = {item: score for (name, item), score in own.items() if name == baseline}
    second = {item: score for (name, item), score in own.items() if name == system}
    check_same_items(first, second, names=(baseline, system))
    found = paired_difference(first, second, metric, resamples=resamples, seed=seed)
    if found is None:
        raise DataError(f"`{metric}` must have a value for {baseline} and {system} on some mixture, but has none.")
    return Comparison(
        metric,
        baseline,
        system,
        found.interval,
        found.utterances,
        len(first) - found.mixtures,
        found.independent,
        found.drawn_by,
    )


def paired_difference(
    first: Mapping[Item, Score], second: Mapping[Item, Score], metric: str, *, resamples: int = RESAMPLES, seed: int = 0
) -> Difference | None:
    """The mean over utterances of (second - first) where both have a value; None where there is no such mixture."""
    means, speakers, mixtures = _utterance_differences(first, second, metric)
    if not means:
        return None
    clusters = find_clusters(speakers)
    interval = bootstrap_mean(
        list(means.values()), rng=np.random.default_rng(seed), clusters=clusters.names, resamples=resamples
    )
    return Difference(interval, len(means), mixtures, clusters.count, clusters.by)


def cluster_differences(first: Mapping[Item, Score], second: Mapping[Item, Score], metric: str) -> list[float]:
    """The mean of (second - first) of each independent cluster, speaker or utterance; empty where there is no value."""
    means, speakers, _ = _utterance_differences(first, second, metric)
    names = find_clusters(speakers).names
    grouped: dict[Hashable, list[float]] = {}
    for name, value in zip(names, means.values(), strict=True):
        grouped.setdefault(name, []).append(value)
    return [statistics.fmean(values) for values in grouped.values()]


def _utterance_differences(
    first: Mapping[Item, Score], second: Mapping[Item, Score], metric: str
) -> tuple[dict[str, float], dict[str, str | None], int]:
    """By utterance, where both have a value: the mean of (second - first), and the speaker. And how many mixtures."""
    both = [
        item for item in first if item in second and metric in first[item].metrics and metric in second[item].metrics
    ]
    means = utterance_means((item.id, second[item].metrics[metric] - first[item].metrics[metric]) for item in both)
    return means, {item.id: second[item].speaker for item in both}, len(both)


def check_same_items(first: Mapping[Item, Score], second: Mapping[Item, Score], *, names: tuple[str, str]) -> None:
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
