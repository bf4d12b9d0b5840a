"""Groups and harm as Markdown, and as plain values for JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cmkt.evaluation.bootstrap import FEWEST_TRUSTED
from cmkt.evaluation.groups import EVERYTHING, GROUPINGS
from cmkt.evaluation.harm import HARM_METRICS, Harm
from cmkt.evaluation.table import interval_text, label, markdown_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cmkt.evaluation.groups import GroupCell

MARK = "*"


def groups_markdown(cells: Sequence[GroupCell]) -> list[str]:
    """A table for each grouping that tells groups apart, and a line about those that do not."""
    metrics = [metric for metric in HARM_METRICS if any(cell.metric == metric for cell in cells)]
    if not metrics:
        return []
    parts, same, silent = [], [], []
    for grouping in GROUPINGS:
        own = [cell for cell in cells if cell.grouping == grouping and cell.metric in metrics]
        names = list(dict.fromkeys(cell.group for cell in own))
        if not names:
            silent.append(grouping)
        elif len(names) == 1 and grouping != EVERYTHING:
            same.append(f"{grouping} {names[0]}")
        else:
            parts += [f"### By {grouping}"] if grouping != EVERYTHING else []
            parts.append(_table(own, metrics, grouping))
    about = [f"All mixtures have {', '.join(same)}."] if same else []
    about += [f"The data do not say: {', '.join(silent)}."] if silent else []
    return [
        "## By group: difference against noisy, on the same mixtures (95% bootstrap interval)",
        f"Intervals draw whole speakers where speakers repeat, whole utterances otherwise; `independent` counts them."
        f" {MARK}: fewer than {FEWEST_TRUSTED} utterances or speakers, too few for the interval to be trusted.",
        *parts,
        *([" ".join(about)] if about else []),
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


def _marked(cell: GroupCell) -> str:
    return interval_text(cell.difference.interval, metric=cell.metric) + (MARK if cell.few else "")


def _counts(cells: Sequence[GroupCell]) -> list[str]:
    """The most utterances, and clusters that the interval draws, of a row."""
    largest = max(cells, key=lambda cell: cell.difference.utterances).difference
    return [str(largest.utterances), str(largest.independent)]
