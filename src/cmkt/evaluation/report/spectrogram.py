"""Spectrograms as inline pictures with axes, on which the page moves a line as the audio plays.

Shapes: audio (T,).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from markupsafe import Markup

from cmkt.evaluation.pictures import RANGE_DB, spectrogram_db
from cmkt.evaluation.report.png import levels_png, png_uri
from cmkt.evaluation.report.svg import Scale, element, picture

if TYPE_CHECKING:
    from cmkt.evaluation.report.sound import Audio
    from cmkt.types import FloatArray

WIDTH: Final = 340.0
LEFT: Final = 22.0
RIGHT: Final = 4.0
TOP: Final = 4.0
PICTURE_HEIGHT: Final = 110.0
AXIS_HEIGHT: Final = 18.0
ROWS: Final = 128
COLUMNS: Final = 480


def spectrogram_levels(audio: FloatArray, *, sample_rate: int) -> FloatArray:
    """Levels in dB, at most (ROWS, COLUMNS): the power of neighbouring bins and frames is averaged."""
    power = 10 ** (spectrogram_db(audio, sample_rate=sample_rate) / 10)
    levels: FloatArray = 10 * np.log10(_fewer(_fewer(power, ROWS, axis=0), COLUMNS, axis=1))
    return levels


def spectrogram_picture(audio: Audio, levels: FloatArray, *, top_db: float, label: str) -> Markup:
    """The levels of some audio, 70 dB below `top_db`, which is the same for signals that are compared."""
    return picture(
        WIDTH,
        TOP + PICTURE_HEIGHT + AXIS_HEIGHT,
        heat(levels, low=top_db - RANGE_DB, high=top_db, y=TOP, height=PICTURE_HEIGHT),
        *_frequencies(audio.sample_rate),
        time_axis(audio.seconds, y=TOP + PICTURE_HEIGHT),
        _playhead(),
        label=label,
        class_="spectrogram",
    )


def _playhead() -> Markup:
    """A line that the page moves from `data-from` to `data-to`."""
    bottom = TOP + PICTURE_HEIGHT
    ends = {"data_from": LEFT, "data_to": WIDTH - RIGHT}
    return element("line", x1=LEFT, x2=LEFT, y1=TOP, y2=bottom, class_="playhead", **ends)


def heat(levels: FloatArray, *, low: float, high: float, y: float, height: float, left: float = LEFT) -> Markup:
    """The levels as an image that fills the plot from `left` and from `y` down, the first row at the bottom."""
    return element(
        "image",
        href=png_uri(levels_png(levels, low=low, high=high)),
        x=left,
        y=y,
        width=WIDTH - left - RIGHT,
        height=height,
        preserveAspectRatio="none",
    )


def time_axis(seconds: float, *, y: float, left: float = LEFT) -> Markup:
    """Ticks at whole or half seconds, or as many as there is room for, below `y`."""
    step = next((each for each in (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0) if seconds / each <= 8), 60.0)
    x = Scale(0.0, seconds, left, WIDTH - RIGHT)
    ticks = [count * step for count in range(int(seconds / step + 1e-9) + 1)]
    parts = []
    for time in ticks:
        cut_off = x(time) > WIDTH - RIGHT - 12
        anchor = "end" if cut_off else "start" if time == 0 else "middle"
        text = f"{time:g} s" if time == ticks[-1] else f"{time:g}"
        parts += [
            element("line", x1=x(time), x2=x(time), y1=y, y2=y + 3, class_="axis"),
            element("text", text, x=x(time), y=y + 14, class_="tick", text_anchor=anchor),
        ]
    return Markup("").join(parts)


def _frequencies(sample_rate: int) -> list[Markup]:
    top_khz = sample_rate / 2000
    y = Scale(0.0, top_khz, TOP + PICTURE_HEIGHT, TOP)
    step = next(each for each in (1, 2, 4, 5, 10, 20, 50) if top_khz / each <= 4)
    marks = [step * count for count in range(int(top_khz / step) + 1)]
    return [
        element(
            "text",
            f"{mark}k" if mark else "0",
            x=LEFT - 4,
            y=min(max(y(mark) + 3.5, TOP + 8), TOP + PICTURE_HEIGHT),
            class_="tick",
            text_anchor="end",
        )
        for mark in marks
    ]


def _fewer(power: FloatArray, most: int, *, axis: int) -> FloatArray:
    """The mean over so many neighbours along an axis that at most `most` are left; the last group may be smaller."""
    count = power.shape[axis]
    starts = np.unique(np.linspace(0, count, min(count, most) + 1).astype(int))[:-1]
    sums = np.add.reduceat(power, starts, axis=axis)
    sizes = np.diff([*starts, count])
    fewer: FloatArray = sums / sizes.reshape((-1, 1) if axis == 0 else (1, -1))
    return fewer
