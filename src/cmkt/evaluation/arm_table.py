"""What comparisons of arms over seeds say: two tables, a conclusion, and plain values for JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cmkt.evaluation.bootstrap import FEWEST_TRUSTED
from cmkt.evaluation.conclusion import caution, p_text, system_sentence
from cmkt.evaluation.table import TOO_NARROW, interval_text, label, markdown_table
from cmkt.metrics.about import about

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cmkt.evaluation.arm_comparison import ArmComparison
    from cmkt.evaluation.arms import Arm


def arms_markdown(compared: Sequence[ArmComparison]) -> str:
    """A table of differences, one of what the seeds do, and the conclusion."""
    parts = [_differences(compared), "What the seeds do:", _spread(compared)]
    if any(each.comparison.independent < FEWEST_TRUSTED for each in compared):
        parts.append(TOO_NARROW)
    if missing := max(each.comparison.missing for each in compared):
        parts.append(f"Up to {missing} mixtures have no value in some run and were left out.")
    return "\n\n".join([*parts, arms_conclusion(compared)]) + "\n"


def arms_conclusion(compared: Sequence[ArmComparison]) -> str:
    """A sentence for each arm, what the seeds alone may have made, and how far it holds."""
    by_arm: dict[str, list[ArmComparison]] = {}
    for each in compared:
        by_arm.setdefault(each.comparison.system, []).append(each)
    told = [sentence for own in by_arm.values() for sentence in _arm_sentences(own)]
    told.append("This holds for other training seeds and other utterances like these, and not for other data.")
    if min(runs for each in compared for runs in each.runs) < 2:
        told.append("An arm of one run is taken to vary over seeds as the other one does.")
    return " ".join([*told, _pairing(compared), *caution(each.comparison.metric for each in compared)])


def _arm_sentences(own: Sequence[ArmComparison]) -> list[str]:
    """What can be said of one arm beside the first, and of its runs."""
    first = own[0]
    name, baseline = first.comparison.system, first.comparison.baseline
    told = [
        system_sentence(
            f"{name} ({_runs(first.runs[1])})",
            f"{baseline} ({_runs(first.runs[0])})",
            differ=[(each.comparison.metric, each.seeded.interval.mean) for each in own if each.differs],
            alike=[_alike(each) for each in own if not each.differs],
        )
    ]
    if luck := [label(each.comparison.metric) for each in own if each.comparison.excludes_zero and not each.differs]:
        told.append(f"The runs of both at hand differ in {', '.join(luck)}, but no more than other seeds might.")
    return told


def arms_values(arms: Sequence[Arm], compared: Sequence[ArmComparison]) -> dict[str, Any]:
    """The runs of each arm, everything in the tables as plain values for JSON, and the conclusion."""
    comparisons = [
        {
            **asdict(each.comparison),
            "over_seeds": asdict(each.seeded),
            "corrected_p": each.corrected_p,
            "detectable": each.detectable,
            "differs": each.differs,
        }
        for each in compared
    ]
    return {
        "arms": {arm.name: [run.name for run in arm.runs] for arm in arms},
        "paired_seeds": compared[0].paired,
        "comparisons": comparisons,
        "conclusion": arms_conclusion(compared),
    }


def _differences(compared: Sequence[ArmComparison]) -> str:
    rows = []
    for each in compared:
        own = each.comparison
        rows.append(
            [
                f"{own.system} - {own.baseline}",
                label(own.metric),
                interval_text(each.seeded.interval, metric=own.metric, independent=own.independent),
                p_text(each.seeded.p),
                p_text(each.corrected_p),
                f"[{_number(own.metric, own.difference.low, '+')}, {_number(own.metric, own.difference.high, '+')}]",
                str(own.utterances),
                f"{own.independent} {own.drawn_by}s",
            ]
        )
    over = "difference [95%, seeds and utterances]"
    return markdown_table(
        ["arms", "metric", over, "p", "p (Holm)", "[95%, utterances alone]", "utterances", "independent"], rows
    )


def _spread(compared: Sequence[ArmComparison]) -> str:
    rows = []
    for each in compared:
        metric, seeded = each.comparison.metric, each.seeded
        deviations = (seeded.system_deviation, seeded.baseline_deviation)
        rows.append(
            [
                f"{each.comparison.system} - {each.comparison.baseline}",
                label(metric),
                *("-" if value is None else _number(metric, value) for value in deviations),
                f"{seeded.from_seeds:.0%}",
                f"{seeded.degrees:.1f}",
                _number(metric, each.detectable),
            ]
        )
    header = [
        "arms",
        "metric",
        "deviation over runs, second",
        "first",
        "seeds' part of the variance",
        "degrees of freedom",
        "smallest that would be seen",
    ]
    return markdown_table(header, rows)


def _alike(each: ArmComparison) -> str:
    metric = each.comparison.metric
    return f"{label(metric)} (a difference of {_number(metric, each.detectable)} would probably be seen)"


def _pairing(compared: Sequence[ArmComparison]) -> str:
    if compared[0].paired:
        return "Runs of one place in each arm are compared as sharing their seed."
    return "Seeds are taken to be unrelated between arms (--paired-seeds if they are shared)."


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _number(metric: str, value: float, sign: str = "") -> str:
    return f"{value:{sign}.{about(metric).decimals}f}"
