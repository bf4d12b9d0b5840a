"""The table that a report begins with: every metric of every system, and word errors over all words together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from cmkt.evaluation.report.entries import NO_BAR, NOTHING, Entry, Row, Table, difference_entry, minus
from cmkt.evaluation.report.palette import colour_class
from cmkt.evaluation.summary import summarise
from cmkt.evaluation.table import estimate_text
from cmkt.evaluation.word_errors import WORD_ERROR_METRICS, corpus_rates
from cmkt.metrics.about import about

if TYPE_CHECKING:
    from cmkt.evaluation.groups import GroupCell
    from cmkt.evaluation.report.test_sets import TestSet
    from cmkt.evaluation.summary import Estimate


def summary_table(test_set: TestSet, cells: Iterable[GroupCell]) -> Table:
    """Means ± standard errors of every system, below them the difference against noisy with its interval.

    cells: those of all mixtures, for every metric.
    """
    summary = summarise([*test_set.scores.values()], test_set.metrics)
    differences = {(cell.system, cell.metric): cell for cell in cells}
    rows = []
    for system in test_set.systems:
        overall = summary[system].overall
        count = max((cell.score.utterances for cell in overall.values()), default=0)
        entries = [
            _entry(overall[metric].score, metric, differences.get((system, metric)), row=count)
            for metric in test_set.metrics
        ]
        rows.append(Row(system, system, colour_class(system, test_set.systems), tuple(entries), count))
    return Table("All mixtures", tuple(map(about, test_set.metrics)), tuple(rows))


def _entry(score: Estimate, metric: str, cell: GroupCell | None, *, row: int) -> Entry:
    """A mean with the difference against noisy, where there is one; `row` is how many utterances its row tells."""
    if score.mean is None:
        return NOTHING
    text = minus(estimate_text(score, decimals=about(metric).decimals))
    own = Entry("", score.mean) if cell is None else replace(difference_entry(cell), value=score.mean, bar=NO_BAR)
    return replace(own, text=text, count="" if score.utterances == row else f"n = {score.utterances}")


def word_table(test_set: TestSet) -> Table | None:
    """Errors over all words together, as the field reports them, by system; None where nothing was recognised.

    Raises: MissingExtraError where `jiwer` is not installed.
    """
    errors = corpus_rates(test_set.scores.values())
    rows = [
        Row(
            system,
            system,
            colour_class(system, test_set.systems),
            tuple(
                Entry(f"{errors[system].rates[metric]:.{about(metric).decimals}f}", errors[system].rates[metric])
                for metric in WORD_ERROR_METRICS
            ),
            errors[system].words.said,
        )
        for system in test_set.systems
        if system in errors
    ]
    return Table("Words", tuple(map(about, WORD_ERROR_METRICS)), tuple(rows)) if rows else None
