"""Does a system harm anyone: the groups for which it is surely worse than doing nothing.

A group counts when it has 20 utterances or more and its whole 95% interval of the difference against noisy lies below
zero (the metrics looked at are all better when higher). An interval below zero is expected by chance in 1 of 40 groups
that are neither helped nor harmed, so the number of groups that were looked at is told too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from cmkt.evaluation.groups import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cmkt.evaluation.groups import GroupCell

HARM_METRICS: Final = ("stoi", "pesq_wb", "si_sdr", "identified")
"""What is looked at, where it was measured. All are better when higher."""
FEWEST_UTTERANCES: Final = 20


@final
@dataclass(frozen=True, slots=True)
class Harm:
    """The groups whose interval lies below zero, of `looked_at` cells (group, system and metric) large enough."""

    harmed: tuple[GroupCell, ...]
    looked_at: int

    @property
    def sentence(self) -> str:
        """What was found, in plain words."""
        if not self.looked_at:
            return (
                f"Not known: no group has {FEWEST_UTTERANCES} utterances with a value. Evaluate more of them (--limit)."
            )
        looked = (
            f"of {self.looked_at} looked at (a group of {FEWEST_UTTERANCES} utterances or more, a system, a metric)"
        )
        if not self.harmed:
            return f"No: in none {looked} does the 95% interval of the difference against noisy lie below zero."
        return (
            f"Yes: the 95% interval of the difference against noisy lies below zero in {len(self.harmed)} {looked}."
            f" About {self.looked_at / 40:.1f} would by chance if nothing were helped or harmed."
        )


def find_harm(cells: Sequence[GroupCell], metrics: Sequence[str] = HARM_METRICS) -> Harm:
    """What the cells of these metrics say, the most utterances first.

    A grouping with a single group is left out: it says again what all mixtures say.
    """
    groups: dict[str, set[str]] = {}
    for cell in cells:
        groups.setdefault(cell.grouping, set()).add(cell.group)
    cells = [cell for cell in cells if cell.grouping == EVERYTHING or len(groups[cell.grouping]) > 1]
    large = [cell for cell in cells if cell.metric in metrics and cell.difference.utterances >= FEWEST_UTTERANCES]
    harmed = [cell for cell in large if cell.difference.independent > 1 and cell.difference.interval.high < 0]
    return Harm(tuple(sorted(harmed, key=lambda cell: -cell.difference.utterances)), len(large))
