"""A difference with its interval as a small picture beside the numbers: a dot, a line, and where zero is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Literal

from markupsafe import Markup

from cmkt.evaluation.gain import surely_better, surely_worse
from cmkt.evaluation.report.svg import Scale, element, picture

if TYPE_CHECKING:
    from cmkt.evaluation.bootstrap import Interval

WIDTH: Final = 96.0
HEIGHT: Final = 12.0

Tone = Literal["better", "worse", "open"]


def tone_of(metric: str, interval: Interval) -> Tone:
    """Whether the whole interval lies on the better or the worse side of zero, or neither is sure."""
    if surely_better(metric, interval):
        return "better"
    return "worse" if surely_worse(metric, interval) else "open"


def common_scale(intervals: Iterable[Interval]) -> Scale:
    """One scale for all bars of a column, with zero in it."""
    own = list(intervals)
    low = min([0.0, *(each.low for each in own)])
    high = max([0.0, *(each.high for each in own)])
    if low == high:
        low, high = -1.0, 1.0
    return Scale(low, high, 4.0, WIDTH - 4.0)


def interval_bar(interval: Interval, scale: Scale, tone: Tone) -> Markup:
    """The picture, in the colour of `tone`. The numbers stand beside it, so that to a screen reader it is nothing."""
    middle = HEIGHT / 2
    return element(
        "span",
        picture(
            WIDTH,
            HEIGHT,
            element("line", x1=scale(0.0), x2=scale(0.0), y1=0.0, y2=HEIGHT, class_="zero"),
            element("line", x1=scale(interval.low), x2=scale(interval.high), y1=middle, y2=middle, class_="span"),
            element("circle", cx=scale(interval.mean), cy=middle, r=2.6, class_="mean"),
            label="",
            class_=f"bar {tone}",
        ),
        aria_hidden="true",
    )
