"""The picture of attention maps: tokens by frames, the words down the side, the spectrogram below, on one time axis.

Shapes: N tokens, F frames, audio (T,). Needs the extra `report`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from cmkt.errors import ConfigError
from cmkt.evaluation.pictures import RANGE_DB, new_figure, save_figure, spectrogram_db

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cmkt.evaluation.attention_map import AttentionMap
    from cmkt.types import FloatArray

WIDTH_INCHES: Final = 9.0
TOKEN_INCHES: Final = 0.19
LEAST_INCHES: Final = 1.2
MOST_INCHES: Final = 16.0
SPECTROGRAM_INCHES: Final = 1.7
LONGEST_TOKEN: Final = 14
BRIGHTEST: Final = 99.7
"""Percentile of the weights that has the brightest colour: one very sharp token would leave all others black."""
FONTS: Final = (
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "PingFang SC",
    "Microsoft YaHei",
    "SimHei",
    "Arial Unicode MS",
)
"""In order of preference, of which those are taken that are installed; matplotlib brings only the first."""


def attention_picture(
    path: Path, maps: Mapping[str, AttentionMap], *, audio: FloatArray, sample_rate: int, title: str = ""
) -> None:
    """Writes a PNG with one panel for each map, by its name, above the spectrogram of the audio that was read.

    Tokens go from top to bottom, time from left to right; a row without a colour is a token that was not asked for.
    Where no installed font has a script, numbers stand for its tokens; the maps of `cmkt report` need no font.
    Raises: ConfigError where there is no map; MissingExtraError without matplotlib.
    """
    if not maps:
        raise ConfigError("`maps` must hold at least one map, but is empty.")
    heights = [_height(len(each.tokens)) for each in maps.values()]
    figure = new_figure(WIDTH_INCHES, sum(heights) + SPECTROGRAM_INCHES + 0.9)
    axes = figure.subplots(
        len(maps) + 1, 1, squeeze=False, sharex=True, gridspec_kw={"height_ratios": [*heights, SPECTROGRAM_INCHES]}
    )[:, 0]
    seconds = len(audio) / sample_rate
    for axis, (name, each) in zip(axes, maps.items(), strict=False):
        image = _draw(axis, each, seconds)
        axis.set_title(name, loc="left", fontsize=10)
        figure.colorbar(image, ax=axis, label="weight")
    level = spectrogram_db(audio, sample_rate=sample_rate)
    top = float(level.max())
    image = axes[-1].imshow(
        level,
        origin="lower",
        aspect="auto",
        extent=(0.0, seconds, 0.0, sample_rate / 2000),
        vmin=top - RANGE_DB,
        vmax=top,
        cmap="magma",
    )
    figure.colorbar(image, ax=axes[-1], label="dB")
    axes[-1].set_ylabel("frequency (kHz)")
    axes[-1].set_xlabel("time (s)")
    if title:
        figure.suptitle(_written(title), fontsize=10, fontfamily=_families())
    save_figure(figure, path)


def _draw(axis: object, each: AttentionMap, seconds: float) -> object:
    from matplotlib.axes import Axes

    assert isinstance(axis, Axes)
    count = len(each.tokens)
    asked = each.weights.sum(axis=1) > 0
    high = float(np.percentile(each.weights[asked], BRIGHTEST)) if asked.any() else 0.0
    shown = np.where(asked[:, None], each.weights, np.nan)
    image = axis.imshow(
        shown,
        aspect="auto",
        interpolation="nearest",
        extent=(0.0, seconds, count - 0.5, -0.5),
        vmin=0.0,
        vmax=high or 1.0,
        cmap="viridis",
    )
    names = [_short(token) for token in each.tokens]
    if not _has_glyphs("".join(names)):
        names = [str(number) for number in range(1, count + 1)]
    axis.set_yticks(range(count), names, fontsize=_font_size(count), fontfamily=_families())
    return image


def _height(tokens: int) -> float:
    return min(MOST_INCHES, max(LEAST_INCHES, TOKEN_INCHES * tokens))


def _font_size(tokens: int) -> float:
    """Points, so that names do not run into each other where the picture is as high as it may be."""
    return min(9.0, max(2.0, 60.0 * _height(tokens) / tokens))


def _short(token: str) -> str:
    token = token.replace("$", r"\$")
    return token if len(token) <= LONGEST_TOKEN else token[: LONGEST_TOKEN - 1] + "…"


def _written(text: str) -> str:
    """The text with a question mark for every character that no font has, and without matplotlib's formulas."""
    shown = "".join(character if _has_glyphs(character) else "?" for character in text)
    return shown.replace("$", r"\$")


def _families() -> list[str]:
    from matplotlib.font_manager import fontManager

    installed = set(fontManager.get_font_names())
    return [name for name in FONTS if name in installed]


def _has_glyphs(text: Iterable[str]) -> bool:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    fonts = [get_font(findfont(FontProperties(family=[name]))) for name in _families()]
    return all(any(font.get_char_index(ord(character)) for font in fonts) for character in text)
