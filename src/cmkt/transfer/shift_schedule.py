"""How the amounts of a shift change over training: on a line from one to the next, in whole tokens and frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from cmkt.errors import ConfigError

Amount = int | tuple[int, int]
"""An amount, or (low, high) between which one is drawn for each utterance, both inclusive."""


@dataclass(frozen=True)
class ShiftChange:
    """Amounts that are reached at a step of training; those between two changes lie on the line between them.

    step: training passes before it, 1 or more; tokens, frames: as of Shift, None for as before.

    Raises: ConfigError for a step below 1, a range that runs backwards, or a change that changes nothing.
    """

    step: int
    tokens: Amount | None = None
    frames: Amount | None = None

    def __post_init__(self) -> None:
        if self.step < 1:
            raise ConfigError(
                f"`step` of ShiftChange must be 1 or more, but is {self.step} instead. The amounts of Shift itself are "
                "those at the start."
            )
        if self.tokens is None and self.frames is None:
            raise ConfigError(f"`tokens` or `frames` of ShiftChange must be given, but step {self.step} has neither.")
        for name, amount in (("tokens", self.tokens), ("frames", self.frames)):
            check_amount(amount if amount is not None else 0, f"`{name}` of ShiftChange")


def amount_range(amount: Amount) -> tuple[int, int]:
    """The lowest and the highest."""
    if isinstance(amount, int):
        return amount, amount
    low, high = amount
    return int(low), int(high)


def check_amount(amount: Amount, what: str) -> None:
    """Raises ConfigError when a range runs backwards."""
    low, high = amount_range(amount)
    if low > high:
        raise ConfigError(f"{what} must be an int or (low, high) with low <= high, but is {amount!r} instead.")


def check_order(changes: Sequence[ShiftChange]) -> None:
    """Raises ConfigError unless every change comes after the one before."""
    steps = [change.step for change in changes]
    if any(later <= earlier for earlier, later in pairwise(steps)):
        raise ConfigError(f"`changes` of Shift must be in order of their steps, each later, but are at {steps}.")


def amount_at(start: Amount, reached: Sequence[tuple[int, Amount | None]], step: int) -> tuple[int, int]:
    """The range at a step. start: at step 0; reached: (step, amount) in order, None leaves out.

    Both ends of the range move linearly and are rounded, halves away from zero: -1.5 and 1.5 become -2 and 2.
    """
    before, low_high = 0, amount_range(start)
    for at, amount in reached:
        if amount is None:
            continue
        following = amount_range(amount)
        if step < at:
            share = (step - before) / (at - before)
            low, high = (_rounded(a + share * (b - a)) for a, b in zip(low_high, following, strict=True))
            return low, high
        before, low_high = at, following
    return low_high


def _rounded(value: float) -> int:
    return int(abs(value) + 0.5) * (1 if value >= 0 else -1)
