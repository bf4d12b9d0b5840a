"""Whom a system helps, and how surely: the paired difference against another in each group of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from cmkt.evaluation.bootstrap import FEWEST_TRUSTED
from cmkt.evaluation.comparison import Difference, independent_in, paired_difference
from cmkt.evaluation.groupings import SPEAKER, STANDARD, find_groupings
from cmkt.evaluation.record import CLEAN, NOISY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cmkt.evaluation.record import Item, Score


@final
@dataclass(frozen=True, slots=True)
class GroupCell:
    """`system` minus the baseline, by default noisy, in one metric, on the mixtures of one group."""

    grouping: str
    group: str
    system: str
    metric: str
    difference: Difference

    @property
    def few(self) -> bool:
        """Whether there are too few utterances or speakers for the interval to be trusted."""
        return min(self.difference.utterances, self.difference.independent) < FEWEST_TRUSTED


def group_cells(
    scores: Iterable[Score], metrics: Sequence[str], *, fields: Iterable[str] = tuple(STANDARD), baseline: str = NOISY
) -> list[GroupCell]:
    """A cell for each grouping, group, system and metric that has a value, in that order.

    `scores` holds at most one score for each (system, mixture), those of the baseline among them. `fields` and the
    order of groups: see `cmkt.evaluation.groupings`. What is independent is decided over all of the data, except
    within a speaker, whose utterances are.

    Raises: ConfigError where the data do not have a field.
    """
    scores = list(scores)
    by = independent_in(scores)
    by_system: dict[str, dict[Item, Score]] = {}
    for score in scores:
        by_system.setdefault(score.system, {})[score.item] = score
    first = by_system.pop(baseline, {})
    for reserved in (NOISY, CLEAN):
        by_system.pop(reserved, None)
    cells = []
    for grouping in find_groupings([*first.values()], fields):
        drawn_by = "utterance" if grouping.name == SPEAKER else by
        for group, items in grouping.groups.items():
            base = {item: first[item] for item in items}
            for system, own in by_system.items():
                for metric in metrics:
                    if difference := paired_difference(base, own, metric, by=drawn_by):
                        cells.append(GroupCell(grouping.name, group, system, metric, difference))
    return cells
