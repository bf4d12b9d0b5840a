"""Training curves of runs as inline pictures: thin for training, thick with dots for dev, one colour a run."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

import numpy as np
from markupsafe import Markup

from cmkt.errors import DataError
from cmkt.evaluation.counts import find_log
from cmkt.evaluation.pictures import read_curves
from cmkt.evaluation.report.figures import HEIGHT, LEFT, RIGHT, WIDTH, below, frame
from cmkt.evaluation.report.palette import COLOURS
from cmkt.evaluation.report.svg import Scale, dots, element, path, picture, tick_text

if TYPE_CHECKING:
    from cmkt.evaluation.report.sources import Run

    Curve = tuple[list[int], list[float]]

logger = logging.getLogger(__name__)


@final
@dataclass(frozen=True, slots=True)
class Panel:
    """A picture of one quantity over all runs that logged it. note: what it is, and which way is better."""

    title: str
    note: str
    svg: Markup


@final
@dataclass(frozen=True, slots=True)
class Watched:
    """What a panel shows: the columns of the log, thin and thick; each may be missing."""

    title: str
    note: str
    thin: str
    thick: str


WATCHED: Final = (
    Watched("enhancement loss", "lower is better", "train/enhancement", "dev/enhancement"),
    Watched("transfer loss", "L_CMA per token; a low one alone proves nothing", "train/transfer", "dev/transfer"),
    Watched("SI-SDR over noisy (dB)", "on dev, higher is better", "", "dev/si_sdr_improvement"),
    Watched("STOI", "on dev, higher is better", "", "dev/stoi"),
    Watched("mismatch gap", "on dev: L_CMA on frames of others minus own", "", "dev/mismatch_gap"),
)
MOST_POINTS: Final = 240


def run_curves(runs: Sequence[Run]) -> tuple[dict[str, dict[str, Curve]], list[str]]:
    """The curves of each run that has a log, and a sentence for each run that has none or none that can be read."""
    curves, lacking = {}, []
    for run in runs:
        try:
            curves[run.name] = read_curves(find_log(run.path))
        except (DataError, ValueError) as error:
            lacking.append(f"{run.name}: no training curves. {error}")
    return curves, lacking


def panels(curves: Mapping[str, Mapping[str, Curve]]) -> list[Panel]:
    """A panel for each watched quantity that some run logged."""
    drawn = []
    for watched in WATCHED:
        own = {name: columns for name, columns in curves.items() if watched.thin in columns or watched.thick in columns}
        if own:
            drawn.append(Panel(watched.title, watched.note, _draw(watched, own, [*curves])))
    return drawn


def run_colour(name: str, names: Sequence[str]) -> str:
    """The class of a run's colour."""
    return f"s{names.index(name) % COLOURS + 1}"


def _draw(watched: Watched, curves: Mapping[str, Mapping[str, Curve]], names: Sequence[str]) -> Markup:
    shown = {
        (name, column): _finite(columns[column])
        for name, columns in curves.items()
        for column in (watched.thin, watched.thick)
        if column in columns
    }
    shown = {key: curve for key, curve in shown.items() if curve[0]}
    values = [value for (_, column), curve in shown.items() for value in _central(curve[1], column == watched.thin)]
    base = frame(values)
    last = max((steps[-1] for steps, _ in shown.values()), default=1)
    x = Scale(0.0, float(max(last, 1)), LEFT, WIDTH - RIGHT)
    parts = [base.rules]
    for (name, column), curve in shown.items():
        thick = column == watched.thick
        pairs = zip(*(curve if thick else _averaged(*curve)), strict=True)
        points = [(x(step), base.y(value)) for step, value in pairs]
        lines = [
            element("title", f"{name}, {column}"),
            element("path", d=path(points), class_="dev" if thick else "train"),
        ]
        if thick and len(points) <= 60:
            lines.append(element("path", d=dots(points), class_="dev-dots"))
        parts.append(element("g", *lines, class_=run_colour(name, names)))
    parts += [below("0", LEFT, anchor="start"), below(f"{tick_text(last)} steps", WIDTH - RIGHT, anchor="end")]
    ends = "; ".join(f"{name} {column} ends at {own[-1]:.4g}" for (name, column), (_, own) in shown.items())
    return picture(WIDTH, HEIGHT, *parts, label=f"{watched.title} over training steps. {ends}", class_="plot")


def _finite(curve: Curve) -> Curve:
    """Without what is not finite, as the last rows of a run that diverged."""
    kept = [(step, value) for step, value in zip(*curve, strict=True) if np.isfinite(value)]
    return [step for step, _ in kept], [value for _, value in kept]


def _central(values: Sequence[float], thin: bool) -> list[float]:
    """What the scale must show: of training steps all but the outermost, whose first losses would flatten the rest."""
    return [float(each) for each in np.percentile(values, (1, 97))] if thin and len(values) > 20 else [*values]


def _averaged(steps: Sequence[int], values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Means of neighbours, at most MOST_POINTS of them."""
    pieces = min(len(values), MOST_POINTS)
    both = (np.array_split(np.asarray(each, dtype=np.float64), pieces) for each in (steps, values))
    means = [[float(piece.mean()) for piece in each] for each in both]
    return means[0], means[1]
