"""Whom a system helps, and how surely: the paired difference against noisy in each group of the data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, final

from cmkt.evaluation.bootstrap import FEWEST_TRUSTED
from cmkt.evaluation.comparison import Difference, independent_in, paired_difference
from cmkt.evaluation.record import CLEAN, NOISY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cmkt.evaluation.record import Item, Score

NOT_STATED: Final = "not stated"
EVERYTHING: Final = "all mixtures"
"""The grouping with one group of everything."""
AGE_BANDS: Final = ("child (under 13)", "teen (13-17)", "adult (18+)")


def age_band(age: str | None) -> str | None:
    """The band of an age in years; an age that is no number ("twenties") is a group of its own, none gives None.

    >>> [age_band(age) for age in ("6", "13", "17.5", "18", None)]
    ['child (under 13)', 'teen (13-17)', 'teen (13-17)', 'adult (18+)', None]
    """
    if age is None or not age.strip():
        return None
    try:
        years = float(age)
    except ValueError:
        return age.strip()
    if not math.isfinite(years) or years < 0:
        return None
    return AGE_BANDS[(years >= 13) + (years >= 18)]


def _noise_class(score: Score) -> str | None:
    return " + ".join(sorted(set(score.noise_classes))) or None


GROUPINGS: Final[Mapping[str, Callable[[Score], str | None]]] = MappingProxyType(
    {
        EVERYTHING: lambda _: "all",
        "SNR": lambda score: f"{score.snr_db:g} dB",
        "language": lambda score: score.language,
        "gender": lambda score: score.gender,
        "age": lambda score: age_band(score.age),
        "corpus": lambda score: score.corpus,
        "noise class": _noise_class,
    }
)
"""What the data are grouped by: the group of a mixture, None where the data do not say."""


@final
@dataclass(frozen=True, slots=True)
class GroupCell:
    """`system` minus noisy in one metric, on the mixtures of one group."""

    grouping: str
    group: str
    system: str
    metric: str
    difference: Difference

    @property
    def few(self) -> bool:
        """Whether there are too few utterances or speakers for the interval to be trusted."""
        return min(self.difference.utterances, self.difference.independent) < FEWEST_TRUSTED


def group_cells(scores: Iterable[Score], metrics: Sequence[str]) -> list[GroupCell]:
    """A cell for each grouping, group, system and metric that has a value, in that order.

    `scores` holds at most one score for each (system, mixture), noisy among them. SNRs and ages are in their order,
    other groups from the largest to the smallest, and the mixtures of which the data say nothing last. A grouping of
    which the data say nothing at all has no cell. What is independent is decided over all of the data.
    """
    scores = list(scores)
    by = independent_in(scores)
    by_system: dict[str, dict[Item, Score]] = {}
    for score in scores:
        by_system.setdefault(score.system, {})[score.item] = score
    noisy = by_system.pop(NOISY, {})
    by_system.pop(CLEAN, None)
    cells = []
    for grouping in GROUPINGS:
        groups = _groups(noisy.values(), grouping)
        for group, items in groups.items() if set(groups) != {NOT_STATED} else ():
            base = {item: noisy[item] for item in items}
            for system, own in by_system.items():
                for metric in metrics:
                    if difference := paired_difference(base, own, metric, by=by):
                        cells.append(GroupCell(grouping, group, system, metric, difference))
    return cells


def _groups(scores: Iterable[Score], grouping: str) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for score in scores:
        found.setdefault(GROUPINGS[grouping](score) or NOT_STATED, []).append(score.item)

    return {group: found[group] for group in sorted(found, key=lambda group: _place(grouping, group, found[group]))}


def _place(grouping: str, group: str, items: Sequence[Item]) -> tuple[bool, float, str]:
    """Sorts before what comes after it in a table."""
    if grouping == "SNR":
        return False, items[0].snr_db, group
    if grouping == "age":
        return group == NOT_STATED, AGE_BANDS.index(group) if group in AGE_BANDS else len(AGE_BANDS), group
    return group == NOT_STATED, -len(items), group
