"""Attention maps: which frames each token was read from, tokens down the side and the spectrogram below.

Shapes: N tokens, F frames, audio (T,).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

import numpy as np
from markupsafe import Markup

from cmkt.errors import CmktError
from cmkt.evaluation.attention_map import AttentionMap, effective_frames, order
from cmkt.evaluation.pictures import RANGE_DB
from cmkt.evaluation.report.spectrogram import TOP, WIDTH, heat, spectrogram_levels, time_axis
from cmkt.evaluation.report.svg import element, picture
from cmkt.evaluation.run_bridges import open_bridges
from cmkt.signal.resample import resample

if TYPE_CHECKING:
    from cmkt.evaluation.report.sources import Run
    from cmkt.evaluation.report.spoken import Spoken
    from cmkt.evaluation.trained_bridge import TrainedBridge

logger = logging.getLogger(__name__)

LEFT: Final = 62.0
ROW_HEIGHT: Final = 11.0
SPECTROGRAM_HEIGHT: Final = 64.0
LONGEST_TOKEN: Final = 11
MOST_FRAMES: Final = 600


@final
@dataclass(frozen=True, slots=True)
class MapFigure:
    """One map. width_seconds: the median over tokens of how much time holds most of a token's weight."""

    title: str
    text: str
    svg: Markup
    width_seconds: float
    order: float


@final
@dataclass(frozen=True, slots=True)
class LayerMaps:
    """The maps of one bridge. about: alignment, layer and teacher."""

    about: str
    figures: tuple[MapFigure, ...]


@final
@dataclass(frozen=True, slots=True)
class RunMaps:
    """The maps of a run by layer, or the reason why it has none."""

    run: str
    layers: tuple[LayerMaps, ...] = ()
    reason: str = ""


def attention_maps(runs: Sequence[Run], spoken: Sequence[Spoken], *, allow_foreign: bool = False) -> list[RunMaps]:
    """The maps of each run on the same mixtures."""
    return [_run_maps(run, spoken, allow_foreign=allow_foreign) for run in runs]


def _run_maps(run: Run, spoken: Sequence[Spoken], *, allow_foreign: bool) -> RunMaps:
    try:
        bridges = open_bridges(run.path, allow_foreign=allow_foreign)
        if not spoken:
            return RunMaps(run.name, reason="No mixture with a transcript and its audio is at hand to draw it on.")
        layers = tuple(_layer_maps(bridge, spoken) for bridge in bridges)
    except (CmktError, ModuleNotFoundError) as error:
        return RunMaps(run.name, reason=str(error))
    return RunMaps(run.name, layers)


def _layer_maps(bridge: TrainedBridge, spoken: Sequence[Spoken]) -> LayerMaps:
    about = f"{bridge.alignment_name} on layer {bridge.layer}, teacher {bridge.teacher.identity}"
    return LayerMaps(about, tuple(_figure(bridge, each) for each in spoken))


def _figure(bridge: TrainedBridge, spoken: Spoken) -> MapFigure:
    noisy = spoken.noisy.samples
    if spoken.noisy.sample_rate != bridge.sample_rate:
        noisy = resample(noisy, spoken.noisy.sample_rate, bridge.sample_rate)
    found = bridge.attend(noisy, spoken.text)
    seconds = len(noisy) / bridge.sample_rate
    per_frame = seconds / found.weights.shape[1]
    levels = spectrogram_levels(noisy, sample_rate=bridge.sample_rate)
    return MapFigure(
        spoken.title,
        spoken.text,
        _draw(found, levels, seconds, label=f"Attention of {spoken.title}: {' '.join(found.tokens)}"),
        effective_frames(found.weights) * per_frame,
        order(found.weights),
    )


def _draw(found: AttentionMap, levels: np.ndarray, seconds: float, *, label: str) -> Markup:
    """Tokens from top to bottom; brightness is the weight, up to the largest of the map but a few."""
    weights = _averaged(found.weights)
    height = ROW_HEIGHT * len(found.tokens)
    below = TOP + height + 6
    names = [
        element("text", _short(token), x=LEFT - 5, y=TOP + ROW_HEIGHT * (row + 0.78), class_="token", text_anchor="end")
        for row, token in enumerate(found.tokens)
    ]
    high = max(float(np.percentile(weights, 99.7)), 1e-9)
    top_db = float(levels.max())
    return picture(
        WIDTH,
        below + SPECTROGRAM_HEIGHT + 18,
        *names,
        heat(weights[::-1], low=0.0, high=high, y=TOP, height=height, left=LEFT),
        heat(levels, low=top_db - RANGE_DB, high=top_db, y=below, height=SPECTROGRAM_HEIGHT, left=LEFT),
        element("text", "noisy", x=LEFT - 5, y=below + SPECTROGRAM_HEIGHT / 2, class_="token", text_anchor="end"),
        time_axis(seconds, y=below + SPECTROGRAM_HEIGHT, left=LEFT),
        label=label,
        class_="attention",
    )


def _averaged(weights: np.ndarray) -> np.ndarray:
    """At most MOST_FRAMES columns, neighbours averaged."""
    pieces = np.array_split(weights, min(weights.shape[1], MOST_FRAMES), axis=1)
    return np.stack([piece.mean(axis=1) for piece in pieces], axis=1)


def _short(token: str) -> str:
    return token if len(token) <= LONGEST_TOKEN else token[: LONGEST_TOKEN - 1] + "…"
