"""A summary of an evaluation as Markdown that also reads well in a terminal, and as plain values for JSON."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from cmkt.evaluation.bootstrap import FEWEST_TRUSTED
from cmkt.metrics.about import about

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cmkt.evaluation.bootstrap import Interval
    from cmkt.evaluation.comparison import Comparison
    from cmkt.evaluation.summary import Cell, Estimate, SystemSummary

MOST_COLUMNS: Final = 6
TOO_NARROW: Final = (
    f"Intervals of fewer than {FEWEST_TRUSTED} utterances or speakers are too narrow; of a single one there is none."
)


def label(metric: str) -> str:
    """The name of a metric as papers write it, with its unit."""
    return about(metric).label


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns are padded to equal width; the first column is text, the others are numbers."""
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        rest = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
        return "| " + " | ".join([first, *rest]) + " |"

    rule = "|" + "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]) + "|"
    return "\n".join([line(header), rule, *(line(row) for row in rows)])


def summary_markdown(
    summary: Mapping[str, SystemSummary],
    *,
    metrics: Sequence[str],
    title: str,
    comparisons: Sequence[Comparison] = (),
    notes: Sequence[str] = (),
) -> str:
    """Tables of means ± standard errors, overall and per SNR, then the differences against noisy and between models."""
    parts = [f"# {title}", *notes, _reading(summary, metrics)]
    parts.append(_table(summary, metrics, lambda system: system.overall, _score_text))
    if any(cell.missing for system in summary.values() for cell in system.overall.values()):
        parts.append("Mixtures without a value:")
        lacking = [name for name in metrics if any(system.overall[name].missing for system in summary.values())]
        parts.append(_table(summary, lacking, lambda system: system.overall, lambda cell, _: str(cell.missing)))
    models = {name: own for name, own in summary.items() if any(cell.difference for cell in own.overall.values())}
    if models:
        parts.append("## Difference against noisy, on the same mixtures")
        parts.append(_table(models, metrics, lambda system: system.overall, _difference_text))
    if comparisons:
        parts.append("## Difference between models, on the same mixtures (95% bootstrap interval)")
        parts.append(_comparison_table(comparisons))
        if any(each.independent < FEWEST_TRUSTED for each in comparisons):
            parts.append(TOO_NARROW)
    for snr_db in sorted({snr_db for system in summary.values() for snr_db in system.by_snr}):
        parts.append(f"## SNR {snr_db:g} dB")
        parts.append(_table(summary, metrics, partial(_at_snr, snr_db=snr_db), _score_text))
    return "\n\n".join(parts) + "\n"


def _reading(summary: Mapping[str, SystemSummary], metrics: Sequence[str]) -> str:
    averaged = ", each averaged over its SNRs first" if any(system.by_snr for system in summary.values()) else ""
    lower = ", ".join(about(name).title for name in metrics if not about(name).higher_is_better)
    return f"Mean ± standard error over utterances{averaged}." + (f" Lower is better: {lower}." if lower else "")


def _table(
    summary: Mapping[str, SystemSummary],
    metrics: Sequence[str],
    cells: Callable[[SystemSummary], Mapping[str, Cell]],
    text: Callable[[Cell, str], str],
) -> str:
    """A table for each few metrics, so that lines stay readable."""
    if len(metrics) > MOST_COLUMNS:
        few, others = metrics[:MOST_COLUMNS], metrics[MOST_COLUMNS:]
        return _table(summary, few, cells, text) + "\n\n" + _table(summary, others, cells, text)
    rows = []
    for name, system in summary.items():
        own = {metric: cell for metric, cell in cells(system).items() if metric in metrics}
        count = max((cell.score.utterances for cell in own.values()), default=0)
        rows.append([name, *(text(own[metric], metric) if metric in own else "-" for metric in metrics), str(count)])
    return markdown_table(["system", *(label(metric) for metric in metrics), "utterances"], rows)


def _at_snr(system: SystemSummary, *, snr_db: float) -> Mapping[str, Cell]:
    return system.by_snr.get(snr_db, {})


def _score_text(cell: Cell, metric: str) -> str:
    return estimate_text(cell.score, decimals=about(metric).decimals)


def _difference_text(cell: Cell, metric: str) -> str:
    if cell.difference is None:
        return "-"
    return estimate_text(cell.difference, decimals=about(metric).decimals, sign="+")


def estimate_text(estimate: Estimate, *, decimals: int, sign: str = "") -> str:
    """A mean ± its standard error, "-" where there is none."""
    if estimate.mean is None:
        return "-"
    mean = f"{estimate.mean:{sign}.{decimals}f}"
    return mean if estimate.standard_error is None else f"{mean} ± {estimate.standard_error:.{decimals}f}"


def interval_text(interval: Interval, *, metric: str, independent: int) -> str:
    """A difference with the bounds of its interval, in the decimals of the metric; one cluster gives no bounds."""
    places = about(metric).decimals
    if independent < 2:
        return f"{interval.mean:+.{places}f}"
    return f"{interval.mean:+.{places}f} [{interval.low:+.{places}f}, {interval.high:+.{places}f}]"


def _comparison_table(comparisons: Sequence[Comparison]) -> str:
    rows = []
    for each in comparisons:
        interval = interval_text(each.difference, metric=each.metric, independent=each.independent)
        rows.append([f"{each.system} - {each.baseline}", label(each.metric), interval, str(each.utterances)])
    return markdown_table(["systems", "metric", "difference", "utterances"], rows)


def summary_values(summary: Mapping[str, SystemSummary]) -> dict[str, Any]:
    """The summary as plain values for JSON; SNRs become strings such as "-5"."""
    return {
        name: {
            "overall": {metric: asdict(cell) for metric, cell in system.overall.items()},
            "by_snr": {
                f"{snr_db:g}": {metric: asdict(cell) for metric, cell in cells.items()}
                for snr_db, cells in system.by_snr.items()
            },
        }
        for name, system in summary.items()
    }
