"""Systems against each other as a report shows them: one by one, or arms of several runs over their seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from cmkt.errors import DataError
from cmkt.evaluation.arm_comparison import ArmComparison, compare_arms
from cmkt.evaluation.arm_table import arms_conclusion
from cmkt.evaluation.arms import find_arms
from cmkt.evaluation.bootstrap import FEWEST_TRUSTED
from cmkt.evaluation.conclusion import Tested, compare_all, conclusion, p_text
from cmkt.evaluation.report.entries import Entry, interval_entry
from cmkt.evaluation.report.interval_bar import tone_of
from cmkt.evaluation.run_scores import Evaluated
from cmkt.metrics.about import About, about

if TYPE_CHECKING:
    from cmkt.evaluation.comparison import Comparison
    from cmkt.evaluation.report.test_sets import TestSet


@final
@dataclass(frozen=True, slots=True)
class SeedFacts:
    """What seeds do to a difference: deviations over the runs of both arms, and the smallest that would be seen."""

    system_deviation: str
    baseline_deviation: str
    share: str
    detectable: str


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
    seeds: SeedFacts | None = None


@final
@dataclass(frozen=True, slots=True)
class Comparisons:
    """Every system against the first one. refusal: why there are none, where they cannot be compared."""

    rows: tuple[Compared, ...] = ()
    conclusion: str = ""
    few: bool = False
    missing: int = 0
    refusal: str = ""


def comparisons(test_set: TestSet, *, arms: Sequence[str] = (), paired_seeds: bool = False) -> Comparisons | None:
    """None where there is a single system. arms: `NAME=RUN,RUN,...`, runs that differ in their seed alone.

    Raises: ConfigError where arms are spelt wrongly or name no systems of the test set.
    """
    if len(test_set.models) < 2:
        return None
    systems = [Evaluated(name, test_set.of(name)) for name in test_set.models]
    try:
        if arms:
            return _over_seeds(compare_arms(find_arms(systems, arms), test_set.metrics, paired=paired_seeds))
        return _one_by_one(compare_all(systems, test_set.metrics))
    except DataError as error:
        return Comparisons(refusal=str(error))


def _one_by_one(tested: Sequence[Tested]) -> Comparisons:
    if not tested:
        return Comparisons(refusal="The systems share no metric that has a value on some mixture.")
    rows = tuple(
        _row(
            each.comparison,
            interval_entry(
                own.metric,
                own.difference,
                tone_of(own.metric, own.difference) if _enough(own) else "open",
                independent=own.independent,
            ),
            each.p,
            each.corrected_p,
        )
        for each in tested
        for own in (each.comparison,)
    )
    return Comparisons(rows, conclusion(tested), *_limits(each.comparison for each in tested))


def _over_seeds(compared: Sequence[ArmComparison]) -> Comparisons:
    if not compared:
        return Comparisons(refusal="The arms share no metric that has a value in all their runs.")
    rows = []
    for each in compared:
        own, seeded = each.comparison, each.seeded
        tone = tone_of(own.metric, seeded.interval) if _enough(own) else "open"
        facts = SeedFacts(
            _number(own.metric, seeded.system_deviation),
            _number(own.metric, seeded.baseline_deviation),
            f"{seeded.from_seeds:.0%}",
            _number(own.metric, each.detectable),
        )
        entry = interval_entry(own.metric, seeded.interval, tone, independent=own.independent)
        rows.append(_row(own, entry, seeded.p, each.corrected_p, facts))
    return Comparisons(tuple(rows), arms_conclusion(compared), *_limits(each.comparison for each in compared))


def _row(own: Comparison, entry: Entry, p: float, corrected_p: float, seeds: SeedFacts | None = None) -> Compared:
    return Compared(
        systems=f"{own.system} − {own.baseline}",
        metric=about(own.metric),
        entry=entry,
        p=p_text(p),
        corrected_p=p_text(corrected_p),
        p_value=p,
        corrected_p_value=corrected_p,
        utterances=own.utterances,
        independent=f"{own.independent} {own.drawn_by}s",
        seeds=seeds,
    )


def _enough(own: Comparison) -> bool:
    return own.independent >= FEWEST_TRUSTED


def _limits(compared: Iterable[Comparison]) -> tuple[bool, int]:
    """Whether some interval is of too few, and the most mixtures that were left out."""
    own = list(compared)
    return not all(map(_enough, own)), max(each.missing for each in own)


def _number(metric: str, value: float | None) -> str:
    return "–" if value is None else f"{value:.{about(metric).decimals}f}"
