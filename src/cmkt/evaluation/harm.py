"""Does a system harm anyone: the groups for which it is surely worse than doing nothing.

A group is looked at when it has 20 utterances or more and 10 independent clusters (speakers or utterances) or more, and
counts as harmed when its whole 95% interval of the difference against noisy is worse than zero: below it, or for word
errors above it. That is expected by chance in 1 of 40 groups that are neither helped nor harmed, so the number of
groups that were looked at is told too. Of fewer clusters the interval is too narrow and excludes zero far more often
than that, so how many groups were too small is told as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from cmkt.evaluation.bootstrap import FEWEST_TRUSTED
from cmkt.evaluation.gain import surely_worse
from cmkt.evaluation.groupings import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cmkt.evaluation.groups import GroupCell

HARM_METRICS: Final = ("stoi", "pesq_wb", "si_sdr", "identified", "wer")
"""What is looked at, where it was measured. Guesses of opinions (DNSMOS) are not: they favour over-suppression."""
HARM_UTTERANCES: Final = 20
"""A group of fewer is not looked at. It also needs `FEWEST_TRUSTED` independent clusters."""


@final
@dataclass(frozen=True, slots=True)
class Harm:
    """The groups whose whole interval is worse than zero, of `looked_at` cells (group, system, metric) large enough.

    `too_small` cells were not looked at.
    """

    harmed: tuple[GroupCell, ...]
    looked_at: int
    too_small: int

    @property
    def sentence(self) -> str:
        """What was found, in plain words."""
        if not self.looked_at:
            return (
                f"Not known: no group has {HARM_UTTERANCES} utterances with a value, {FEWEST_TRUSTED} of them or their "
                "speakers independent. Evaluate more of them (--limit)."
            )
        looked = (
            f"of {self.looked_at} looked at (a group of {HARM_UTTERANCES} utterances or more, {FEWEST_TRUSTED} or more "
            "of them or their speakers independent, a system, a metric)"
        )
        small = f" {self.too_small} more were too small to look at." if self.too_small else ""
        whole = "the whole 95% interval of the difference against noisy worse than zero"
        if not self.harmed:
            return f"No: in none {looked} is {whole}.{small}"
        return (
            f"Yes: in {len(self.harmed)} {looked} is {whole}."
            f" About {self.looked_at / 40:.1f} would by chance if nothing were helped or harmed, up to"
            f" twice that where hardly {FEWEST_TRUSTED} are independent.{small}"
        )


def find_harm(cells: Sequence[GroupCell], metrics: Sequence[str] = HARM_METRICS) -> Harm:
    """What the cells of these metrics say, the most utterances first.

    A grouping with a single group is left out: it says again what all mixtures say.
    """
    groups: dict[str, set[str]] = {}
    for cell in cells:
        groups.setdefault(cell.grouping, set()).add(cell.group)
    asked = [
        cell
        for cell in cells
        if cell.metric in metrics and (cell.grouping == EVERYTHING or len(groups[cell.grouping]) > 1)
    ]
    large = [cell for cell in asked if cell.difference.utterances >= HARM_UTTERANCES and not cell.few]
    harmed = [cell for cell in large if surely_worse(cell.metric, cell.difference.interval)]
    return Harm(
        tuple(sorted(harmed, key=lambda cell: -cell.difference.utterances)), len(large), len(asked) - len(large)
    )
