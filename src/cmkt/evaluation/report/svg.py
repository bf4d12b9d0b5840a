"""Inline SVG: elements whose texts are escaped, and scales with round ticks.

Colours are CSS classes of the page (`report.css`), never values, so that a picture follows the dark setting. Lengths
are in the units of the view box, about one CSS pixel on a phone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from markupsafe import Markup, escape

Child = Markup | str


def element(name: str, *children: Child, **attributes: object) -> Markup:
    """One element, all of it escaped. `class_` is class, other underscores are hyphens, None leaves an attribute out.

    >>> element("text", "a < b", x=1.25, text_anchor="end")
    Markup('<text x="1.25" text-anchor="end">a &lt; b</text>')
    """
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    told = "".join(f' {key}="{escape(_number(value))}"' for key, value in given.items())
    inside = "".join(escape(child) for child in children)
    return Markup(f"<{name}{told}>{inside}</{name}>")


def picture(width: float, height: float, *children: Child, label: str, class_: str | None = None) -> Markup:
    """An <svg> of that view box, which is an image to a screen reader, called `label`."""
    return element(
        "svg", *children, viewBox=f"0 0 {_number(width)} {_number(height)}", role="img", aria_label=label, class_=class_
    )


def path(points: Iterable[tuple[float, float]]) -> str:
    """The `d` of a line through points."""
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in points)


def dots(points: Iterable[tuple[float, float]]) -> str:
    """The `d` of dots: lines of no length, which a round line cap makes visible. A tenth of the size of circles."""
    return "".join(f"M{_number(x)} {_number(y)}h0" for x, y in points)


def _number(value: object) -> object:
    """A float in at most two decimals, everything else as it is."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


@final
@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values linearly: `low` to `start`, `high` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a value; a value outside is put at the nearer end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def rounded(values: Iterable[float], start: float, end: float, *, ticks: int = 5) -> tuple[Scale, list[float]]:
    """A scale from a round number below all values to one above, and about so many round ticks in it.

    >>> rounded([0.13, 0.88], 0, 100)[1]
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    if low == high:
        low, high = low - (abs(low) or 1) / 10, high + (abs(high) or 1) / 10
    step = _round_step((high - low) / (ticks - 1))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    places = max(0, 1 - math.floor(math.log10(step)))  # one more than the leading digit, for steps of 2.5
    marks = [round(count * step, places) for count in range(first, last + 1)]
    return Scale(marks[0], marks[-1], start, end), marks


def _round_step(step: float) -> float:
    """The next of 1, 2, 2.5, 5, 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * times for times in (1, 2, 2.5, 5, 10) if power * times >= step * (1 - 1e-9))


def tick_text(value: float) -> str:
    """A tick as a reader expects it, with a real minus."""
    return f"{value:g}".replace("-", "−")
