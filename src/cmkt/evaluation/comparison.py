"""Two systems on the same mixtures: the paired difference and how sure it is.

The interval is a bootstrap that draws whole speakers, or whole utterances with all their SNRs (see
`cmkt.evaluation.bootstrap`), because the mixtures of one utterance are not independent.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

import numpy as np

from cmkt.errors import DataError
from cmkt.evaluation.bootstrap import RESAMPLES, ClusterKind, Interval, bootstrap_mean, cluster_kind, find_clusters
from cmkt.evaluation.record import latest
from cmkt.evaluation.summary import utterance_means
from cmkt.metrics.identification import IDENTIFIED, MARGIN

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from cmkt.evaluation.record import Item, Score

NAMED: Final = 5
WORD_ERRORS: Final = ("wer", "cer", "wil")


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

    Raises: DataError where the two were not scored on the same mixtures or their words not measured in the same way, or
    they share no mixture that has a value.
    """
    own = latest(scores)
    first = {item: score for (name, item), score in own.items() if name == baseline}
    second = {item: score for (name, item), score in own.items() if name == system}
    check_same_items(first, second, names=(baseline, system))
    check_same_words(first, second, metric, names=(baseline, system))
    by = independent_in([*first.values(), *second.values()])
    found = paired_difference(first, second, metric, by=by, resamples=resamples, seed=seed)
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


def compare_models(
    scores: Sequence[Score], models: Sequence[str], metrics: Sequence[str], *, resamples: int = RESAMPLES
) -> list[Comparison]:
    """Every later model against the first one, in each metric that both have a value for on some mixture.

    Raises: DataError as `compare` does.
    """
    by_model: dict[str, dict[Item, Score]] = {model: {} for model in models}
    for (name, item), score in latest(scores).items():
        if name in by_model:
            by_model[name][item] = score
    found = []
    for model in models[1:]:
        first, second = by_model[models[0]], by_model[model]
        check_same_items(first, second, names=(models[0], model))
        found += [
            compare(scores, baseline=models[0], system=model, metric=metric, resamples=resamples)
            for metric in metrics
            if shared_items(first, second, metric)
        ]
    return found


def independent_in(scores: Iterable[Score]) -> ClusterKind:
    """What is independent in the data of these scores. A score that failed may not know its speaker."""
    speakers: dict[str, str | None] = {}
    for score in scores:
        speakers[score.id] = speakers.get(score.id) or score.speaker
    return cluster_kind(speakers.values())


def paired_difference(
    first: Mapping[Item, Score],
    second: Mapping[Item, Score],
    metric: str,
    *,
    by: ClusterKind,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Difference | None:
    """The mean over utterances of (second - first) where both have a value; None where there is no such mixture.

    by: what is independent in the data of which these may be a part.
    """
    means, speakers, mixtures = _utterance_differences(first, second, metric)
    if not means:
        return None
    clusters = find_clusters(speakers, by)
    interval = bootstrap_mean(
        list(means.values()), rng=np.random.default_rng(seed), clusters=clusters.names, resamples=resamples
    )
    return Difference(interval, len(means), mixtures, clusters.count, clusters.by)


def cluster_differences(
    first: Mapping[Item, Score], second: Mapping[Item, Score], metric: str, *, by: ClusterKind
) -> list[float]:
    """The mean of (second - first) of each independent cluster, speaker or utterance; empty where there is no value."""
    means, speakers, _ = _utterance_differences(first, second, metric)
    names = find_clusters(speakers, by).names
    grouped: dict[Hashable, list[float]] = {}
    for name, value in zip(names, means.values(), strict=True):
        grouped.setdefault(name, []).append(value)
    return [statistics.fmean(values) for values in grouped.values()]


def _utterance_differences(
    first: Mapping[Item, Score], second: Mapping[Item, Score], metric: str
) -> tuple[dict[str, float], dict[str, str | None], int]:
    """By utterance, where both have a value: the mean of (second - first), and the speaker. And how many mixtures."""
    both = shared_items(first, second, metric)
    means = utterance_means((item.id, second[item].metrics[metric] - first[item].metrics[metric]) for item in both)
    return means, {item.id: second[item].speaker for item in both}, len(both)


def shared_items(first: Mapping[Item, Score], second: Mapping[Item, Score], metric: str) -> list[Item]:
    """The mixtures on which both have a value, in the order of the first."""
    return [
        item for item in first if item in second and metric in first[item].metrics and metric in second[item].metrics
    ]


def check_same_words(
    first: Mapping[Item, Score], second: Mapping[Item, Score], metric: str, *, names: tuple[str, str]
) -> None:
    """Refuses to compare words that were measured in different ways: among other numbers of sentences, or by another
    recogniser.

    Raises: DataError that names both ways.
    """
    if metric not in (IDENTIFIED, MARGIN, *WORD_ERRORS):
        return
    for item in shared_items(first, second, metric):
        ways = [_way_of_words(scores[item], metric) for scores in (first, second)]
        if ways[0] != ways[1]:
            raise DataError(
                f"`{metric}` must be measured in the same way in both systems, but is by {ways[0]!r} for "
                f"`{names[0]}` and by {ways[1]!r} for `{names[1]}`. Run `cmkt evaluate` for both with the same "
                "--words, --candidates and --transcriber, or choose other metrics."
            )


def _way_of_words(score: Score, metric: str) -> str | None:
    return score.transcriber if metric in WORD_ERRORS else score.words


def check_same_items(first: Mapping[Item, Score], second: Mapping[Item, Score], *, names: tuple[str, str]) -> None:
    """Refuses two systems that were scored on different mixtures. Scores that failed may not know theirs.

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
    sound = [item for item in first if first[item].error is None and second[item].error is None]
    if differing := [item for item in sound if _mixture(first[item]) != _mixture(second[item])]:
        raise DataError(
            f"Both systems must be scored on the same mixtures, but {len(differing)} differ in seed, noise or data: "
            f"{_named(differing)}. Run `cmkt evaluate` with both."
        )


def _mixture(score: Score) -> tuple[int, str, tuple[str, ...]]:
    return score.seed, score.data, score.noise_ids


def _named(items: Sequence[Item]) -> str:
    names = ", ".join(item.id if item.snr_db is None else f"{item.id} at {item.snr_db:g} dB" for item in items[:NAMED])
    return names + (", ..." if len(items) > NAMED else "")
