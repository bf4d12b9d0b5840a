"""Groups as a report shows them: a table for each grouping, the ends of those of many groups, and who is harmed."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from cmkt.evaluation.gain import gain
from cmkt.evaluation.group_table import MANY_GROUPS
from cmkt.evaluation.report.entries import NOTHING, Entry, Row, Table, difference_entry, minus
from cmkt.evaluation.report.interval_bar import common_scale
from cmkt.evaluation.report.palette import colour_class
from cmkt.metrics.about import About, about

if TYPE_CHECKING:
    from cmkt.evaluation.groups import GroupCell
    from cmkt.evaluation.harm import Harm
    from cmkt.evaluation.report.test_sets import TestSet


@final
@dataclass(frozen=True, slots=True)
class Ends:
    """A grouping of many groups in one metric: how many there are and are worse, their median, the worst, the best."""

    system: str
    colour: str
    metric: About
    groups: int
    worse: int
    median: Entry
    worst: str
    best: str


@final
@dataclass(frozen=True, slots=True)
class Spread:
    """A grouping that has too many groups for a row each."""

    title: str
    rows: tuple[Ends, ...]


def group_tables(test_set: TestSet, cells: Sequence[GroupCell]) -> list[Table]:
    """A table for each grouping that tells groups apart and has not many: differences against noisy with intervals."""
    metrics = list(dict.fromkeys(cell.metric for cell in cells))
    return [
        Table(grouping, tuple(map(about, metrics)), tuple(_group_rows(own, metrics, test_set)))
        for grouping, own, count in _by_grouping(cells)
        if 1 < count <= MANY_GROUPS
    ]


def group_spreads(test_set: TestSet, cells: Sequence[GroupCell]) -> list[Spread]:
    """The groupings of many groups, such as speakers."""
    return [
        Spread(grouping, tuple(_ends(own, test_set)))
        for grouping, own, count in _by_grouping(cells)
        if count > MANY_GROUPS
    ]


def _by_grouping(cells: Sequence[GroupCell]) -> Iterable[tuple[str, list[GroupCell], int]]:
    for grouping in dict.fromkeys(cell.grouping for cell in cells):
        own = [cell for cell in cells if cell.grouping == grouping]
        yield grouping, own, len({cell.group for cell in own})


def _group_rows(cells: Sequence[GroupCell], metrics: Sequence[str], test_set: TestSet) -> Iterable[Row]:
    scales = {
        metric: common_scale(cell.difference.interval for cell in cells if cell.metric == metric) for metric in metrics
    }
    grouped: dict[tuple[str, str], dict[str, GroupCell]] = {}
    for cell in cells:
        grouped.setdefault((cell.group, cell.system), {})[cell.metric] = cell
    for (group, system), own in grouped.items():
        largest = max(own.values(), key=lambda cell: cell.difference.utterances).difference
        yield Row(
            minus(group) if cells[0].grouping == "SNR" else group,
            system,
            colour_class(system, test_set.systems),
            tuple(difference_entry(own[metric], scales[metric]) if metric in own else NOTHING for metric in metrics),
            largest.utterances,
            largest.independent,
        )


def _ends(cells: Sequence[GroupCell], test_set: TestSet) -> Iterable[Ends]:
    rows: dict[tuple[str, str], list[GroupCell]] = {}
    for cell in cells:
        rows.setdefault((cell.system, cell.metric), []).append(cell)
    for (system, metric), own in rows.items():
        ranked = sorted(own, key=lambda cell: gain(cell.metric, cell.difference.interval.mean))
        middle = statistics.median(cell.difference.interval.mean for cell in own)
        yield Ends(
            system,
            colour_class(system, test_set.systems),
            about(metric),
            len(own),
            sum(gain(metric, cell.difference.interval.mean) < 0 for cell in own),
            Entry(_signed(middle, metric), middle),
            *(
                f"{each.group}: {_signed(each.difference.interval.mean, metric)} ({each.difference.utterances})"
                for each in (ranked[0], ranked[-1])
            ),
        )


def _signed(value: float, metric: str) -> str:
    return minus(f"{value:+.{about(metric).decimals}f}")


@final
@dataclass(frozen=True, slots=True)
class Harmed:
    """A group that a system harms."""

    group: str
    metric: About
    row: Row


def harm_rows(harm: Harm, test_set: TestSet) -> list[Harmed]:
    """The groups whose interval is surely worse than zero."""
    return [
        Harmed(
            f"{cell.grouping}: {cell.group}",
            about(cell.metric),
            Row(
                cell.group,
                cell.system,
                colour_class(cell.system, test_set.systems),
                (difference_entry(cell),),
                cell.difference.utterances,
                cell.difference.independent,
            ),
        )
        for cell in harm.harmed
    ]
