"""The frame that plots share: horizontal rules with numbers, and names below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

from markupsafe import Markup

from cmkt.evaluation.report.svg import Scale, element, rounded, tick_text

WIDTH: Final = 360.0
HEIGHT: Final = 210.0
LEFT: Final = 42.0
RIGHT: Final = 6.0
TOP: Final = 8.0
BOTTOM: Final = 24.0


@final
@dataclass(frozen=True, slots=True)
class Frame:
    """A plot of WIDTH by HEIGHT: its vertical scale, and the rules that belong behind everything."""

    y: Scale
    rules: Markup


def frame(values: Sequence[float]) -> Frame:
    """The frame that fits these values."""
    y, marks = rounded(values, HEIGHT - BOTTOM, TOP)
    parts = []
    for mark in marks:
        zero = " zero" if mark == 0 and marks[0] < 0 else ""
        parts.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y(mark), y2=y(mark), class_=f"rule{zero}"))
        parts.append(element("text", tick_text(mark), x=LEFT - 5, y=y(mark) + 3.5, class_="tick", text_anchor="end"))
    return Frame(y, Markup("").join(parts))


def below(text: str, x: float, *, anchor: str = "middle") -> Markup:
    """A name under the plot."""
    return element("text", text, x=x, y=HEIGHT - 8, class_="tick", text_anchor=anchor)
