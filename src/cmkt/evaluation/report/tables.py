"""The tables of a test set as a page shows them: summary, groups, harm, and systems against each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, final

from markupsafe import Markup

from cmkt.errors import DataError
from cmkt.evaluation.bootstrap import FEWEST_TRUSTED
from cmkt.evaluation.conclusion import Tested, compare_all, conclusion
from cmkt.evaluation.groups import GroupCell
from cmkt.evaluation.harm import HARM_METRICS, Harm
from cmkt.evaluation.report.interval_bar import Tone, common_scale, interval_bar, tone_of
from cmkt.evaluation.report.palette import colour_class
from cmkt.evaluation.run_scores import Evaluated
from cmkt.evaluation.summary import summarise
from cmkt.evaluation.table import estimate_text, interval_text
from cmkt.metrics.about import About, about

if TYPE_CHECKING:
    from cmkt.evaluation.bootstrap import Interval
    from cmkt.evaluation.report.svg import Scale
    from cmkt.evaluation.report.test_sets import TestSet


NO_BAR: Final = Markup("")


@final
@dataclass(frozen=True, slots=True)
class Entry:
    """One cell of numbers: what to show, what to sort by (None sorts last), a difference with its bounds, a picture."""

    text: str
    value: float | None = None
    difference: str = ""
    bounds: str = ""
    tone: Tone = "open"
    bar: Markup = NO_BAR


NOTHING: Final = Entry("–")


@final
@dataclass(frozen=True, slots=True)
class Row:
    """One row: its name, the system it is of with the colour, an entry for each column, how many utterances."""

    name: str
    system: str
    colour: str
    entries: tuple[Entry, ...]
    utterances: int
    independent: int = 0


@final
@dataclass(frozen=True, slots=True)
class Table:
    """Metrics are the columns."""

    title: str
    columns: tuple[About, ...]
    rows: tuple[Row, ...]


def summary_table(test_set: TestSet, cells: Iterable[GroupCell]) -> Table:
    """Means ± standard errors of every system, below them the difference against noisy with its interval.

    cells: those of all mixtures, for every metric.
    """
    summary = summarise([*test_set.scores.values()], test_set.metrics)
    differences = {(cell.system, cell.metric): cell for cell in cells}
    rows = []
    for system in test_set.systems:
        overall = summary[system].overall
        entries = []
        for metric in test_set.metrics:
            score, cell = overall[metric].score, differences.get((system, metric))
            text = estimate_text(score, decimals=about(metric).decimals)
            if score.mean is None:
                entries.append(NOTHING)
            elif cell is None:
                entries.append(Entry(minus(text), score.mean))
            else:
                entries.append(replace(_difference(cell), text=minus(text), value=score.mean, bar=NO_BAR))
        count = max((cell.score.utterances for cell in overall.values()), default=0)
        rows.append(Row(system, system, colour_class(system, test_set.systems), tuple(entries), count))
    return Table("All mixtures", tuple(map(about, test_set.metrics)), tuple(rows))


def group_tables(test_set: TestSet, cells: Sequence[GroupCell]) -> list[Table]:
    """A table for each grouping that tells groups apart: differences against noisy with their intervals."""
    metrics = [metric for metric in HARM_METRICS if any(cell.metric == metric for cell in cells)]
    tables = []
    for grouping in dict.fromkeys(cell.grouping for cell in cells):
        own = [cell for cell in cells if cell.grouping == grouping and cell.metric in metrics]
        if len({cell.group for cell in own}) > 1:
            tables.append(Table(grouping, tuple(map(about, metrics)), tuple(_group_rows(own, metrics, test_set))))
    return tables


def _group_rows(cells: Sequence[GroupCell], metrics: Sequence[str], test_set: TestSet) -> Iterable[Row]:
    scales = {
        metric: common_scale(cell.difference.interval for cell in cells if cell.metric == metric) for metric in metrics
    }
    grouped: dict[tuple[str, str], dict[str, GroupCell]] = {}
    for cell in cells:
        grouped.setdefault((cell.group, cell.system), {})[cell.metric] = cell
    for (group, system), own in grouped.items():
        entries = []
        for metric in metrics:
            if metric not in own:
                entries.append(NOTHING)
                continue
            entries.append(_difference(own[metric], scales[metric]))
        largest = max(own.values(), key=lambda cell: cell.difference.utterances).difference
        yield Row(
            minus(group) if cells[0].grouping == "SNR" else group,
            system,
            colour_class(system, test_set.systems),
            tuple(entries),
            largest.utterances,
            largest.independent,
        )


def _difference(cell: GroupCell, scale: Scale | None = None) -> Entry:
    """A difference against noisy; one of too few is marked and has no colour, one of a single one has no interval."""
    tone = "open" if cell.few else tone_of(cell.metric, cell.difference.interval)
    told = _interval_entry(cell.metric, cell.difference.interval, tone, scale)
    told = replace(told, difference=told.difference + ("*" if cell.few else ""))
    return told if cell.difference.independent > 1 else replace(told, bounds="")


def _interval_entry(metric: str, interval: Interval, tone: Tone, scale: Scale | None = None) -> Entry:
    difference, _, bounds = minus(interval_text(interval, metric=metric)).partition(" ")
    bar = NO_BAR if scale is None else interval_bar(interval, scale, tone)
    return Entry("", interval.mean, difference, bounds, tone, bar)


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
                (_difference(cell),),
                cell.difference.utterances,
                cell.difference.independent,
            ),
        )
        for cell in harm.harmed
    ]


@final
@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison in one metric: later system minus the first."""

    systems: str
    metric: About
    entry: Entry
    p: str
    corrected_p: str
    p_value: float
    corrected_p_value: float
    utterances: int
    independent: str


@final
@dataclass(frozen=True, slots=True)
class Comparisons:
    """Every system against the first one. refusal: why there are none, where they cannot be compared."""

    rows: tuple[Compared, ...] = ()
    conclusion: str = ""
    few: bool = False
    missing: int = 0
    refusal: str = ""


def comparisons(test_set: TestSet) -> Comparisons | None:
    """None where there is a single system."""
    if len(test_set.models) < 2:
        return None
    systems = [Evaluated(name, test_set.of(name)) for name in test_set.models]
    try:
        tested = compare_all(systems, test_set.metrics)
    except DataError as error:
        return Comparisons(refusal=str(error))
    if not tested:
        return Comparisons(refusal="The systems share no metric that has a value on some mixture.")
    return Comparisons(
        rows=tuple(_compared(tested)),
        conclusion=conclusion(tested),
        few=any(each.comparison.independent < FEWEST_TRUSTED for each in tested),
        missing=max(each.comparison.missing for each in tested),
    )


def _compared(tested: Sequence[Tested]) -> Iterable[Compared]:
    for each in tested:
        own = each.comparison
        tone = tone_of(own.metric, own.difference) if own.independent >= FEWEST_TRUSTED else "open"
        yield Compared(
            f"{own.system} − {own.baseline}",
            about(own.metric),
            _interval_entry(own.metric, own.difference, tone),
            p_text(each.p),
            p_text(each.corrected_p),
            each.p,
            each.corrected_p,
            own.utterances,
            f"{own.independent} {own.drawn_by}s",
        )


def p_text(p: float) -> str:
    """A p-value as a table shows it."""
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"


def minus(text: str) -> str:
    """The text with real minus signs before numbers."""
    return text.replace("-", "−")
