"""Two arms on the same mixtures: the difference, and how sure it is over utterances alone and over seeds too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from cmkt.errors import ConfigError
from cmkt.evaluation.arms import mean_of_runs
from cmkt.evaluation.bootstrap import RESAMPLES, find_clusters
from cmkt.evaluation.comparison import (
    Comparison,
    check_same_items,
    check_same_words,
    compare,
    independent_in,
    shared_items,
)
from cmkt.evaluation.power import smallest_detectable
from cmkt.evaluation.seeds import SeededDifference, seeded_difference
from cmkt.evaluation.significance import LEVEL, holm
from cmkt.evaluation.summary import utterance_means

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from cmkt.evaluation.arms import Arm
    from cmkt.evaluation.record import Item


@final
@dataclass(frozen=True, slots=True)
class ArmComparison:
    """The second arm minus the first in one metric.

    comparison: of the arms' means over runs, its interval over utterances alone; seeded: over seeds and utterances;
    runs: of the first and the second arm; detectable: the smallest difference that such runs and utterances would show
    in 80 of 100 repetitions; corrected_p: after Holm's correction for all tests made.
    """

    comparison: Comparison
    seeded: SeededDifference
    runs: tuple[int, int]
    paired: bool
    detectable: float
    corrected_p: float

    @property
    def differs(self) -> bool:
        """Whether the corrected test says that the arms differ, on more than one utterance or speaker."""
        return self.corrected_p < LEVEL and self.comparison.independent > 1


def compare_arms(
    arms: Sequence[Arm], metrics: Sequence[str], *, paired: bool, resamples: int = RESAMPLES
) -> list[ArmComparison]:
    """Every later arm against the first, in each metric that all runs of both have a value for on some mixture.

    paired: the runs of each arm are in the same order of seeds, and those of one place share initial weights and
    batches. The correction is over all tests made.

    Raises: DataError where runs were not scored on the same mixtures, with those that differ, or their words not
    measured in the same way; ConfigError where paired arms have different numbers of runs.
    """
    first = arms[0]
    for arm in arms[1:]:
        if paired and len(arm.runs) != len(first.runs):
            raise ConfigError(
                f"Arms with paired seeds must have as many runs as each other, but `{first.name}` has "
                f"{len(first.runs)} and `{arm.name}` {len(arm.runs)}. Leave out --paired-seeds, or name as many."
            )
    _check_same(arms, metrics)
    means = {arm.name: [*mean_of_runs(arm).scores.values()] for arm in arms}
    compared = []
    for arm in arms[1:]:
        both = [*means[first.name], *means[arm.name]]
        for metric in metrics:
            if items := _items((first, arm), metric):
                over_utterances = compare(
                    both, baseline=first.name, system=arm.name, metric=metric, resamples=resamples
                )
                compared.append((arm, over_utterances, _over_seeds(first, arm, metric, items, paired=paired)))
    corrected = holm([seeded.p for _, _, seeded in compared])
    return [
        ArmComparison(
            comparison=over_utterances,
            seeded=seeded,
            runs=(len(first.runs), len(arm.runs)),
            paired=paired,
            detectable=smallest_detectable(seeded.standard_error, seeded.degrees),
            corrected_p=corrected_p,
        )
        for (arm, over_utterances, seeded), corrected_p in zip(compared, corrected, strict=True)
    ]


def _check_same(arms: Sequence[Arm], metrics: Sequence[str]) -> None:
    runs = [run for arm in arms for run in arm.runs]
    for run in runs[1:]:
        names = (runs[0].name, run.name)
        check_same_items(runs[0].scores, run.scores, names=names)
        for metric in metrics:
            check_same_words(runs[0].scores, run.scores, metric, names=names)


def _items(arms: Sequence[Arm], metric: str) -> list[Item]:
    """The mixtures on which every run has a value."""
    runs = [run for arm in arms for run in arm.runs]
    found = shared_items(runs[0].scores, runs[-1].scores, metric)
    return [item for item in found if all(metric in run.scores[item].metrics for run in runs)]


def _over_seeds(first: Arm, second: Arm, metric: str, items: Sequence[Item], *, paired: bool) -> SeededDifference:
    return seeded_difference(
        _values(first, metric, items),
        _values(second, metric, items),
        clusters=_clusters((first, second), items),
        paired=paired,
    )


def _clusters(arms: Sequence[Arm], items: Sequence[Item]) -> tuple[Hashable, ...]:
    """What is independent, for each utterance in order of first appearance."""
    runs = [run.scores for arm in arms for run in arm.runs]
    by = independent_in(score for scores in runs for score in scores.values())
    return find_clusters({item.id: runs[-1][item].speaker for item in items}, by).names


def _values(arm: Arm, metric: str, items: Sequence[Item]) -> NDArray[np.float64]:
    """(S, U): the mean over its SNRs of each utterance in each run, in order of first appearance."""
    rows = [utterance_means((item.id, run.scores[item].metrics[metric]) for item in items) for run in arm.runs]
    return np.array([list(row.values()) for row in rows])
