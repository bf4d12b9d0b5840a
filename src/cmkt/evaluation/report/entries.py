"""What the tables of a report are made of: cells with numbers, differences and their tones, and rows of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, final

from markupsafe import Markup

from cmkt.evaluation.report.interval_bar import Tone, interval_bar, tone_of
from cmkt.evaluation.table import interval_text

if TYPE_CHECKING:
    from cmkt.evaluation.bootstrap import Interval
    from cmkt.evaluation.groups import GroupCell
    from cmkt.evaluation.report.svg import Scale
    from cmkt.metrics.about import About

NO_BAR: Final = Markup("")


@final
@dataclass(frozen=True, slots=True)
class Entry:
    """One cell of numbers: what to show, what to sort by (None sorts last), a difference with its bounds, a picture.

    count: such as "n = 5" where it is of fewer utterances than its row.
    """

    text: str
    value: float | None = None
    difference: str = ""
    bounds: str = ""
    tone: Tone = "open"
    bar: Markup = NO_BAR
    count: str = ""


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


def difference_entry(cell: GroupCell, scale: Scale | None = None) -> Entry:
    """A difference against noisy; one of too few is marked and has no colour, one of a single one has no interval."""
    tone: Tone = "open" if cell.few else tone_of(cell.metric, cell.difference.interval)
    own = cell.difference
    told = interval_entry(cell.metric, own.interval, tone, scale, independent=own.independent)
    return replace(told, difference=told.difference + ("*" if cell.few else ""))


def interval_entry(
    metric: str, interval: Interval, tone: Tone, scale: Scale | None = None, *, independent: int
) -> Entry:
    """A difference with its bounds, which one of a single cluster has none of, and on a scale with a picture."""
    text = interval_text(interval, metric=metric, independent=independent)
    difference, _, bounds = minus(text).partition(" ")
    bar = NO_BAR if scale is None else interval_bar(interval, scale, tone)
    return Entry("", interval.mean, difference, bounds, tone, bar)


def minus(text: str) -> str:
    """The text with real minus signs.

    >>> minus("-0.1 [-0.2, +0.1]")
    '−0.1 [−0.2, +0.1]'
    """
    return text.replace("-", "−")
