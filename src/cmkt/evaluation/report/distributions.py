"""How the values of a metric are spread, by SNR and system: boxes over dots, or rates of what is true or false."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

import numpy as np
from markupsafe import Markup

from cmkt.evaluation.record import CLEAN
from cmkt.evaluation.report.figures import HEIGHT, LEFT, RIGHT, WIDTH, below, frame
from cmkt.evaluation.report.palette import colour_class
from cmkt.evaluation.report.svg import Scale, dots, element, picture
from cmkt.metrics.about import About, about

if TYPE_CHECKING:
    from cmkt.evaluation.record import Score

MOST_DOTS: Final = 250
WIDEST_BOX: Final = 22.0
GOLDEN: Final = (math.sqrt(5) - 1) / 2


@final
@dataclass(frozen=True, slots=True)
class Spread:
    """The values of one system at one SNR (a name, "all" where SNRs are not known).

    low and high: 5th and 95th percentile, or the 95% Wilson interval of a rate; mean: also the rate.
    """

    group: str
    system: str
    values: tuple[float, ...]
    low: float
    lower: float
    median: float
    upper: float
    high: float
    mean: float


@final
@dataclass(frozen=True, slots=True)
class Distribution:
    """One metric: what to draw, and the same in numbers. is_rate: every value is 0 or 1."""

    about: About
    svg: Markup
    spreads: tuple[Spread, ...]
    is_rate: bool


def distributions(scores: Iterable[Score], metrics: Sequence[str], systems: Sequence[str]) -> list[Distribution]:
    """One for each metric that has a value, systems in the given order, clean left out."""
    by_system: dict[str, list[Score]] = {name: [] for name in systems if name != CLEAN}
    for score in scores:
        if score.system in by_system:
            by_system[score.system].append(score)
    found = (_distribution(by_system, metric) for metric in metrics)
    return [each for each in found if each is not None]


def _distribution(by_system: Mapping[str, Sequence[Score]], metric: str) -> Distribution | None:
    snrs = sorted(
        {score.snr_db for own in by_system.values() for score in own if metric in score.metrics},
        key=lambda snr_db: math.inf if snr_db is None else snr_db,
    )
    known = [
        (_group(snr_db), system, [s.metrics[metric] for s in own if s.snr_db == snr_db and metric in s.metrics])
        for snr_db in snrs
        for system, own in by_system.items()
    ]
    known = [each for each in known if each[2]]
    if not known:
        return None
    is_rate = all(value in (0.0, 1.0) for _, _, values in known for value in values)
    spreads = tuple((_rate if is_rate else _spread)(*each) for each in known)
    return Distribution(about(metric), _draw(spreads, about(metric), [*by_system], is_rate=is_rate), spreads, is_rate)


def _group(snr_db: float | None) -> str:
    return "all" if snr_db is None else f"{snr_db:g} dB".replace("-", "−")


def _spread(group: str, system: str, values: list[float]) -> Spread:
    low, lower, median, upper, high = (float(each) for each in np.percentile(values, (5, 25, 50, 75, 95)))
    return Spread(group, system, tuple(values), low, lower, median, upper, high, float(np.mean(values)))


def _rate(group: str, system: str, values: list[float]) -> Spread:
    """Wilson, Probable Inference, 1927: an interval that stays within 0 and 1 and is right for few."""
    count, rate, z = len(values), float(np.mean(values)), 1.96
    centre = (rate + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(rate * (1 - rate) / count + z * z / (4 * count * count))
    return Spread(group, system, tuple(values), centre - half, rate, rate, rate, centre + half, rate)


def _draw(spreads: Sequence[Spread], told: About, systems: Sequence[str], *, is_rate: bool) -> Markup:
    values = [0.0, 1.0] if is_rate else [value for each in spreads for value in each.values]
    base = frame(values)
    groups = list(dict.fromkeys(each.group for each in spreads))
    room = (WIDTH - LEFT - RIGHT) / len(groups)
    step = min(room * 0.86 / len(systems), WIDEST_BOX * 1.35)
    parts = [base.rules]
    for each in spreads:
        place = systems.index(each.system) - (len(systems) - 1) / 2
        x = LEFT + room * (groups.index(each.group) + 0.5) + step * place
        body = _point(each, base.y, x) if is_rate else _box(each, base.y, x, step / 1.35)
        title = element("title", f"{each.system}, {each.group}: {_told(each, told, is_rate=is_rate)}")
        parts.append(element("g", title, body, class_=colour_class(each.system, systems)))
    parts += [below(group, LEFT + room * (number + 0.5)) for number, group in enumerate(groups)]
    label = f"{told.label} by SNR and system, {told.direction}. The numbers are in the table below."
    return picture(WIDTH, HEIGHT, *parts, label=label, class_="plot")


def _told(each: Spread, told: About, *, is_rate: bool) -> str:
    def number(value: float) -> str:
        return f"{value:.{told.decimals}f}"

    if is_rate:
        bounds = f"95% interval {number(each.low)} to {number(each.high)}"
        return f"{number(each.mean)}, {bounds}, n = {len(each.values)}"
    quarters = f"half of them {number(each.lower)} to {number(each.upper)}"
    return f"median {number(each.median)}, {quarters}, n = {len(each.values)}"


def _box(each: Spread, y: Scale, x: float, width: float) -> Markup:
    """Dots, a line from the 5th to the 95th percentile, a box of the middle half, and the median."""
    shown = each.values[:: math.ceil(len(each.values) / MOST_DOTS)]
    places = [(x + width * (((number + 1) * GOLDEN) % 1 - 0.5), y(value)) for number, value in enumerate(shown)]
    top, bottom = y(each.upper), y(each.lower)
    return Markup("").join(
        [
            element("path", d=dots(places), class_="dots"),
            element("line", x1=x, x2=x, y1=y(each.low), y2=y(each.high), class_="whisker"),
            element("rect", x=x - width / 2, y=top, width=width, height=max(bottom - top, 1.0), rx=1.5, class_="box"),
            element("line", x1=x - width / 2, x2=x + width / 2, y1=y(each.median), y2=y(each.median), class_="median"),
        ]
    )


def _point(each: Spread, y: Scale, x: float) -> Markup:
    return Markup("").join(
        [
            element("line", x1=x, x2=x, y1=y(each.low), y2=y(each.high), class_="whisker"),
            element("circle", cx=x, cy=y(each.mean), r=4.0, class_="point"),
        ]
    )
