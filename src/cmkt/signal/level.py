"""Levels in dBFS: the RMS of a signal, and the active speech level of ITU-T P.56, which does not count pauses.

Shapes: T samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import lfilter

from cmkt.errors import AudioError
from cmkt.signal.mono import check_mono

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cmkt.types import FloatArray

SILENCE_DB = -120.0
"""RMS in dBFS under which a signal counts as silent, 24 dB under one step of 16 bits."""

TIME_CONSTANT_SECONDS = 0.03
HANGOVER_SECONDS = 0.2
MARGIN_DB = 15.9
ENVELOPE_RATE = 1000
"""Samples of the envelope in a second; P.56 asks for at least 600."""

THRESHOLD_STEP_DB = 10 * np.log10(2.0)
THRESHOLDS = 30


def is_silent(x: FloatArray) -> bool:
    """Whether the RMS of `x` (any shape) is under SILENCE_DB. An empty signal is silent."""
    return x.size == 0 or _mean_square(x) < 10 ** (SILENCE_DB / 10)


def rms_db(x: FloatArray) -> float:
    """RMS over all of `x` (T,) in dBFS, re full scale 1.0: a square wave of amplitude 1 has 0, a sine -3.01.

    Raises:
        AudioError: `x` is silent, not (T,), or not finite.
    """
    _check_not_silent(check_mono(x, "x"))
    return float(10 * np.log10(_mean_square(x)))


def active_level_db(x: FloatArray, sample_rate: int) -> float:
    """Active speech level of `x` (T,) in dBFS, re full scale 1.0: the RMS over the time in which someone speaks.

    ITU-T P.56 (12/2011), method B: an envelope of two first-order filters of 30 ms, a hangover of 200 ms, and the
    threshold that lies 15.9 dB under the level it leads to. P.56 steps its thresholds from full scale; here they step
    from the highest value of the envelope, so that scaling a signal by g dB moves its level by exactly g dB.

    Raises:
        AudioError: `x` is silent, not (T,), or not finite.
    """
    _check_not_silent(check_mono(x, "x"))
    step = max(1, sample_rate // ENVELOPE_RATE)
    envelope = _envelope(x, step, sample_rate)
    hangover = int(np.ceil(HANGOVER_SECONDS * sample_rate / step))
    top_db = 20 * np.log10(envelope.max())
    energy_db = 10 * np.log10(_mean_square(x) * x.size)

    above: tuple[float, float] | None = None
    for index in reversed(range(THRESHOLDS)):
        threshold_db = top_db - index * THRESHOLD_STEP_DB
        active = _active_steps(envelope, 10 ** (threshold_db / 20), hangover) * step
        level_db = energy_db - 10 * np.log10(min(active, x.size))
        margin_db = level_db - threshold_db
        if margin_db <= MARGIN_DB:
            if above is None:
                return float(level_db)
            return _interpolate(above, (level_db, margin_db))
        above = (level_db, margin_db)
    return float(level_db)


def _interpolate(above: tuple[float, float], below: tuple[float, float]) -> float:
    """The level where the margin is 15.9 dB, on the line through two (level_db, margin_db)."""
    weight = (above[1] - MARGIN_DB) / (above[1] - below[1])
    return float(above[0] + weight * (below[0] - above[0]))


def _envelope(x: FloatArray, step: int, sample_rate: int) -> NDArray[np.float64]:
    """|x| through two equal first-order low-passes, P.56 equations 3 and 4; (ceil(T / step),).

    |x| is averaged over `step` samples first, about 1 ms, which a filter of 30 ms does not notice.
    """
    magnitude = np.add.reduceat(np.abs(x), np.arange(0, x.size, step), dtype=np.float64) / step
    g = np.exp(-step / (sample_rate * TIME_CONSTANT_SECONDS))
    envelope: NDArray[np.float64] = lfilter([(1 - g) ** 2], [1, -2 * g, g**2], magnitude)
    return np.maximum(envelope, np.finfo(np.float64).tiny)


def _active_steps(envelope: NDArray[np.float64], threshold: float, hangover: int) -> int:
    """How many steps are at or above the threshold, or at most `hangover` steps after one that is."""
    reached = np.flatnonzero(envelope >= threshold)
    if reached.size == 0:
        return 1
    between = np.minimum(np.diff(reached), hangover + 1).sum()
    return int(between) + min(envelope.size - int(reached[-1]), hangover + 1)


def _mean_square(x: FloatArray) -> float:
    return float(np.mean(np.square(x, dtype=np.float64)))


def _check_not_silent(x: FloatArray) -> None:
    if is_silent(x):
        raise AudioError(f"`x` must not be silent to have a level, but its RMS is under {SILENCE_DB:g} dBFS.")
