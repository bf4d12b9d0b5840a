"""Which colour a system has in every plot and table of a report: a CSS class, so that the page decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cmkt.evaluation.record import CLEAN, NOISY

COLOURS: Final = 7
"""Classes s1 to s7 of `report.css`; an eighth system has the first colour again."""


def colour_class(system: str, systems: Sequence[str]) -> str:
    """The class of a system among all: grey for noisy, one of its own for clean, a colour for every other.

    >>> [colour_class(name, ["noisy", "a", "b", "clean"]) for name in ("noisy", "a", "b", "clean")]
    ['s-noisy', 's1', 's2', 's-clean']
    """
    if system in (NOISY, CLEAN):
        return f"s-{system}"
    others = [name for name in systems if name not in (NOISY, CLEAN)]
    return f"s{others.index(system) % COLOURS + 1}"
