"""What several comparisons say together: corrected p-values, and a sentence that says what can be concluded."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, final

from cmkt.evaluation.bootstrap import FEWEST_TRUSTED, RESAMPLES
from cmkt.evaluation.comparison import Comparison, cluster_differences, compare_models, independent_in
from cmkt.evaluation.gain import gain
from cmkt.evaluation.significance import LEVEL, holm, signed_rank
from cmkt.evaluation.table import TOO_NARROW, interval_text, label, markdown_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cmkt.evaluation.record import Item, Score
    from cmkt.evaluation.run_scores import Evaluated


@final
@dataclass(frozen=True, slots=True)
class Tested:
    """A comparison with its p-value (Wilcoxon signed-rank) and the same after Holm's correction."""

    comparison: Comparison
    p: float
    corrected_p: float

    @property
    def differs(self) -> bool:
        """Whether both the interval and the corrected test say that there is a difference."""
        return self.comparison.excludes_zero and self.corrected_p < LEVEL


def compare_all(systems: Sequence[Evaluated], metrics: Sequence[str], *, resamples: int = RESAMPLES) -> list[Tested]:
    """Every later system against the first, in each metric of which both have a value on some mixture.

    A test is made on one mean difference for each cluster of the interval; the correction is over all tests made.

    Raises: DataError where two were not scored on the same mixtures, with those that differ, or their words not
    measured in the same way.
    """
    own = {system.name: system.scores for system in systems}
    compared = compare_models(
        [score for scores in own.values() for score in scores.values()], [*own], metrics, resamples=resamples
    )
    found = [_p_of(each, own[each.baseline], own[each.system]) for each in compared]
    return [Tested(each, p, corrected) for each, p, corrected in zip(compared, found, holm(found), strict=True)]


def _p_of(compared: Comparison, first: Mapping[Item, Score], second: Mapping[Item, Score]) -> float:
    by = independent_in([*first.values(), *second.values()])
    return signed_rank(cluster_differences(first, second, compared.metric, by=by))


def conclusion(tested: Sequence[Tested]) -> str:
    """A sentence for each system: in what it is better or worse than the first, in what they cannot be told apart."""
    by_system: dict[str, list[Tested]] = {}
    for each in tested:
        by_system.setdefault(each.comparison.system, []).append(each)
    told = [
        system_sentence(
            name,
            own[0].comparison.baseline,
            differ=[(each.comparison.metric, each.comparison.difference.mean) for each in own if each.differs],
            alike=[label(each.comparison.metric) for each in own if not each.differs],
        )
        for name, own in by_system.items()
    ]
    limits = (
        "This holds for other utterances like these, and not for other training seeds or other data: one run of each"
        " cannot tell a better method from a luckier seed (--arms takes several)."
    )
    return " ".join([*told, limits, *caution(each.comparison.metric for each in tested)])


def system_sentence(name: str, baseline: str, *, differ: Sequence[tuple[str, float]], alike: Sequence[str]) -> str:
    """What can be said of a system beside the baseline.

    differ: metrics that surely differ, with the difference; alike: how the others are called.
    """
    better = [label(metric) for metric, difference in differ if gain(metric, difference) > 0]
    worse = [label(metric) for metric, difference in differ if gain(metric, difference) < 0]
    parts = [f"is better than {baseline} in {', '.join(better)}"] if better else []
    parts += [f"is worse than {baseline} in {', '.join(worse)}"] if worse else []
    parts += [f"cannot be told from {baseline} in {', '.join(alike)}"] if alike else []
    return f"{name} {'; '.join(parts)}."


def caution(metrics: Iterable[str]) -> list[str]:
    """What must be said of some metrics whenever they are concluded from."""
    if any(metric.startswith("dnsmos") for metric in metrics):
        return ["DNSMOS favours over-suppression: a gain in it alone is none."]
    return []


def conclusion_markdown(tested: Sequence[Tested]) -> str:
    """A table of every comparison, and the conclusion."""
    rows = []
    for each in tested:
        own = each.comparison
        rows.append(
            [
                f"{own.system} - {own.baseline}",
                label(own.metric),
                interval_text(own.difference, metric=own.metric, independent=own.independent),
                p_text(each.p),
                p_text(each.corrected_p),
                str(own.utterances),
                f"{own.independent} {own.drawn_by}s",
            ]
        )
    header = ["systems", "metric", "difference [95% interval]", "p", "p (Holm)", "utterances", "independent"]
    parts = [markdown_table(header, rows)]
    if any(each.comparison.independent < FEWEST_TRUSTED for each in tested):
        parts.append(TOO_NARROW)
    if missing := max(each.comparison.missing for each in tested):
        parts.append(f"Up to {missing} mixtures have no value in one of the two and were left out.")
    return "\n\n".join([*parts, conclusion(tested)]) + "\n"


def conclusion_values(tested: Sequence[Tested]) -> dict[str, Any]:
    """Everything in the table as plain values for JSON, and the conclusion."""
    comparisons = [
        {**asdict(each.comparison), "p": each.p, "corrected_p": each.corrected_p, "differs": each.differs}
        for each in tested
    ]
    return {"comparisons": comparisons, "conclusion": conclusion(tested)}


def p_text(p: float) -> str:
    """A p-value as a table shows it."""
    return "<0.0001" if p < 0.0001 else f"{p:.4f}"
