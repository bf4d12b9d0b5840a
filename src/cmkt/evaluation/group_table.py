"""Groups and harm as Markdown, and as plain values for JSON."""

from __future__ import annotations

import statistics
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from cmkt.evaluation.bootstrap import FEWEST_TRUSTED
from cmkt.evaluation.gain import gain
from cmkt.evaluation.groupings import EVERYTHING, STANDARD, plain_name
from cmkt.evaluation.harm import HARM_METRICS, Harm
from cmkt.evaluation.record import NOISY
from cmkt.evaluation.table import interval_text, label, markdown_table
from cmkt.metrics.about import about

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cmkt.evaluation.groups import GroupCell

MARK: Final = "*"
MANY_GROUPS: Final = 30
"""A grouping of more groups has no row for each."""


def groups_markdown(
    cells: Sequence[GroupCell],
    *,
    metrics: Sequence[str] = HARM_METRICS,
    fields: Iterable[str] = tuple(STANDARD),
    baseline: str = NOISY,
) -> list[str]:
    """A table for each grouping that tells groups apart, and a line about those that do not; `fields` were asked for.

    Where there is none of `metrics`, all are shown. Groupings of more than 30 groups, such as speakers, are told by
    their spread and their ends.
    """
    measured = list(dict.fromkeys(cell.metric for cell in cells))
    metrics = [metric for metric in metrics if metric in measured] or measured
    if not metrics:
        return []
    parts, same = [], []
    groupings = list(dict.fromkeys(cell.grouping for cell in cells))
    for grouping in groupings:
        own = [cell for cell in cells if cell.grouping == grouping and cell.metric in metrics]
        names = list(dict.fromkeys(cell.group for cell in own))
        if len(names) == 1 and grouping != EVERYTHING:
            same.append(f"{grouping} {names[0]}")
        elif names:
            parts += [f"### By {grouping}"] if grouping != EVERYTHING else []
            parts += [_table(own, metrics, grouping)] if len(names) <= MANY_GROUPS else _spread(own, metrics, grouping)
    asked = {plain_name(field) for field in fields}
    silent = [name for name in STANDARD if plain_name(name) in asked and name not in groupings]
    notes = [f"All mixtures have {', '.join(same)}."] if same else []
    notes += [f"The data do not say: {', '.join(silent)}."] if silent else []
    return [
        f"## By group: difference against {baseline}, on the same mixtures (95% bootstrap interval)",
        f"Intervals draw whole speakers where speakers repeat, whole utterances otherwise; `independent` counts them."
        f" {MARK}: fewer than {FEWEST_TRUSTED} utterances or speakers, too few for the interval to be trusted; of one"
        " there is none.",
        *parts,
        *([" ".join(notes)] if notes else []),
    ]


def harm_markdown(harm: Harm) -> list[str]:
    """The answer in one sentence, and a table of the groups that are harmed."""
    parts = ["## Does it harm anyone?", harm.sentence]
    if harm.harmed:
        rows = [
            [f"{cell.grouping}: {cell.group}", cell.system, label(cell.metric), _marked(cell), *_counts([cell])]
            for cell in harm.harmed
        ]
        parts.append(markdown_table(["group", "system", "metric", "difference", "utterances", "independent"], rows))
    return parts


def groups_values(cells: Sequence[GroupCell]) -> list[dict[str, Any]]:
    """One flat object a cell: grouping, group, system, metric, mean, low, high, counts, `few`."""
    flat = []
    for cell in cells:
        values = asdict(cell)
        difference = values.pop("difference")
        flat.append({**values, **difference.pop("interval"), **difference, "few": cell.few})
    return flat


def harm_values(harm: Harm) -> dict[str, Any]:
    """The sentence, how many cells were looked at and how many were too small, and the cells that are harmed."""
    return {
        "sentence": harm.sentence,
        "looked_at": harm.looked_at,
        "too_small": harm.too_small,
        "harmed": groups_values(harm.harmed),
    }


def _table(cells: Sequence[GroupCell], metrics: Sequence[str], grouping: str) -> str:
    rows: dict[tuple[str, str], dict[str, GroupCell]] = {}
    for cell in cells:
        rows.setdefault((cell.group, cell.system), {})[cell.metric] = cell
    lines = [
        [
            group,
            system,
            *(_marked(own[metric]) if metric in own else "-" for metric in metrics),
            *_counts([*own.values()]),
        ]
        for (group, system), own in rows.items()
    ]
    return markdown_table(
        [grouping, "system", *(label(metric) for metric in metrics), "utterances", "independent"], lines
    )


def _spread(cells: Sequence[GroupCell], metrics: Sequence[str], grouping: str) -> list[str]:
    """Groups too many for a row each: how many there are and are worse, their median, the worst and the best."""
    rows: dict[tuple[str, str], list[GroupCell]] = {}
    for cell in sorted(cells, key=lambda cell: metrics.index(cell.metric)):
        rows.setdefault((cell.system, cell.metric), []).append(cell)
    lines = []
    for (system, metric), own in rows.items():
        ranked = sorted(own, key=lambda cell: gain(metric, cell.difference.interval.mean))
        middle = statistics.median(cell.difference.interval.mean for cell in own)
        worse = sum(gain(metric, cell.difference.interval.mean) < 0 for cell in own)
        ends = [f"{cell.group} ({cell.difference.utterances}): {_mean(cell)}" for cell in (ranked[0], ranked[-1])]
        lines.append([system, label(metric), str(len(own)), str(worse), _signed(middle, metric), *ends])
    header = ["system", "metric", "groups", "worse on average", "median", "worst (utterances)", "best (utterances)"]
    note = (
        f"The JSON file has a line for each. The ends of many small groups are mostly chance; harm to a {grouping}"
        " is looked for where there are utterances enough."
    )
    return [markdown_table(header, lines), note]


def _mean(cell: GroupCell) -> str:
    return _signed(cell.difference.interval.mean, cell.metric) + (MARK if cell.few else "")


def _signed(value: float, metric: str) -> str:
    return f"{value:+.{about(metric).decimals}f}"


def _marked(cell: GroupCell) -> str:
    text = interval_text(cell.difference.interval, metric=cell.metric, independent=cell.difference.independent)
    return text + (MARK if cell.few else "")


def _counts(cells: Sequence[GroupCell]) -> list[str]:
    """The most utterances, and clusters that the interval draws, of a row."""
    largest = max(cells, key=lambda cell: cell.difference.utterances).difference
    return [str(largest.utterances), str(largest.independent)]
