"""Means and standard errors of an evaluation, overall and per SNR, clustered by utterance.

The same utterance at four SNRs is not four independent observations. So the values of an utterance are averaged over
its SNRs first, and the standard error is that of the mean over utterances: s / sqrt(n), s the sample deviation (n - 1).
The difference against noisy is formed on each mixture before any mean, and only where both have a value.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from cmkt.evaluation.record import NOISY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cmkt.evaluation.record import Item, Score


@final
@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over utterances and its standard error, both None where there are too few (0 and fewer than 2)."""

    mean: float | None
    standard_error: float | None
    utterances: int


@final
@dataclass(frozen=True, slots=True)
class Cell:
    """One metric of one system on one group of mixtures.

    `score` is its mean; `difference` the mean of (system - noisy) on the same mixtures, None for noisy itself;
    `missing` counts the mixtures on which the metric has no value.
    """

    score: Estimate
    difference: Estimate | None
    missing: int


@final
@dataclass(frozen=True, slots=True)
class SystemSummary:
    """The cells of one system: `overall[metric]`, and `by_snr[snr_db][metric]` of the mixtures whose SNR is known."""

    overall: dict[str, Cell]
    by_snr: dict[float, dict[str, Cell]]


def clustered(values: Iterable[tuple[str, float]]) -> Estimate:
    """The mean over utterances of each one's own mean, with its standard error, from pairs (utterance, value).

    Example:
        >>> clustered([("a", 1.0), ("a", 3.0), ("b", 4.0)])
        Estimate(mean=3.0, standard_error=1.0, utterances=2)
    """
    means = list(utterance_means(values).values())
    if not means:
        return Estimate(None, None, 0)
    error = statistics.stdev(means) / math.sqrt(len(means)) if len(means) > 1 else None
    return Estimate(statistics.fmean(means), error, len(means))


def utterance_means(values: Iterable[tuple[str, float]]) -> dict[str, float]:
    """The mean of the values of each utterance, in order of first appearance."""
    grouped: dict[str, list[float]] = {}
    for utterance, value in values:
        grouped.setdefault(utterance, []).append(value)
    return {utterance: statistics.fmean(own) for utterance, own in grouped.items()}


def summarise(scores: Sequence[Score], metrics: Sequence[str]) -> dict[str, SystemSummary]:
    """The summary of each system, in order of first appearance.

    `scores` holds at most one score for each (system, mixture); a metric that a score lacks counts as missing.
    """
    by_system: dict[str, dict[Item, Score]] = {}
    for score in scores:
        by_system.setdefault(score.system, {})[score.item] = score
    noisy = by_system.get(NOISY, {})
    return {
        system: _system_summary(own, noisy if system != NOISY else None, metrics) for system, own in by_system.items()
    }


def _system_summary(
    own: Mapping[Item, Score], noisy: Mapping[Item, Score] | None, metrics: Sequence[str]
) -> SystemSummary:
    by_snr = {}
    for snr_db in sorted({item.snr_db for item in own if item.snr_db is not None}):
        group = {item: score for item, score in own.items() if item.snr_db == snr_db}
        by_snr[snr_db] = {metric: _cell(group, noisy, metric) for metric in metrics}
    return SystemSummary({metric: _cell(own, noisy, metric) for metric in metrics}, by_snr)


def _cell(own: Mapping[Item, Score], noisy: Mapping[Item, Score] | None, metric: str) -> Cell:
    values = {item: score.metrics[metric] for item, score in own.items() if metric in score.metrics}
    score = clustered((item.id, value) for item, value in values.items())
    difference = None
    if noisy is not None:
        base = {item: noisy[item].metrics[metric] for item in values if item in noisy and metric in noisy[item].metrics}
        difference = clustered((item.id, values[item] - base[item]) for item in base)
    return Cell(score, difference, len(own) - len(values))
