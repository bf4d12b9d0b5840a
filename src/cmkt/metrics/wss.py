"""Weighted spectral slope distance: how differently the spectra rise and fall from one critical band to the next.

Klatt, Prediction of Perceived Phonetic Distance from Critical-Band Spectra: A First Step, ICASSP 1982; as a measure of
enhancement Hu and Loizou, 2008, whose published code this follows. From 0, lower is better.
Identical signals have 0. A part of the composite measures. Shapes: T samples, K frames, 25 bands, 24 slopes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import fft

from cmkt.metrics.frames import frames, mean_of_lowest

if TYPE_CHECKING:
    from numpy.typing import NDArray

CENTRES_HZ: Final = (
    *(50.0, 120.0, 190.0, 260.0, 330.0, 400.0, 470.0, 540.0, 617.372, 703.378, 798.717, 904.128, 1020.38, 1148.30),
    *(1288.72, 1442.54, 1610.70, 1794.16, 1993.93, 2211.08, 2446.71, 2701.97, 2978.04, 3276.17, 3597.63),
)
WIDTHS_HZ: Final = (
    *(70.0, 70.0, 70.0, 70.0, 70.0, 70.0, 70.0, 77.3724, 86.0056, 95.3398, 105.411, 116.256, 127.914, 140.423),
    *(153.823, 168.154, 183.457, 199.776, 217.153, 235.631, 255.255, 276.072, 298.126, 321.465, 346.136),
)
"""Of the 25 critical bands. They end below 4 kHz, at every sample rate."""

LOWEST_GAIN: Final = float(np.exp(-30 / (2 * 2.303)))
FLOOR_DB: Final = -100.0
GLOBAL_WEIGHT_DB: Final = 20.0
LOCAL_WEIGHT_DB: Final = 1.0
"""Klatt's K_max and K_locmax: how fast slopes lose weight below the highest band and below the nearest peak."""

EPS: Final = float(np.finfo(np.float64).eps)


def weighted_spectral_slope(
    *, estimate: NDArray[np.float64], reference: NDArray[np.float64], sample_rate: int
) -> float:
    """Mean over the lowest 95% of the frames of the weighted squared difference of slopes in dB, lower is better.

    Slopes weigh most near the peaks of the spectrum, which make vowels. Neither level matters.

    Shape: estimate (T,), reference (T,), checked by the caller.

    Raises: MetricUndefinedError under 37.5 ms.
    """
    bands = [band_levels_db(x, sample_rate) for x in (reference, estimate)]
    slopes = [np.diff(each, axis=-1) for each in bands]
    weights = (_weights(bands[0], slopes[0]) + _weights(bands[1], slopes[1])) / 2
    distances = (weights * np.square(slopes[0] - slopes[1])).sum(axis=-1) / weights.sum(axis=-1)
    return mean_of_lowest(distances)


def band_levels_db(x: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Energy of `x` (T,) in each critical band, in dB, (K, 25)."""
    framed = frames(x + EPS, sample_rate)
    size = 2 ** int(np.ceil(np.log2(2 * framed.shape[-1])))
    power = np.square(np.abs(fft.rfft(framed, n=size, axis=-1)))[:, :-1]
    energy = power @ _filters(sample_rate, size).T
    levels: NDArray[np.float64] = 10 * np.log10(np.maximum(energy, 10 ** (FLOOR_DB / 10)))
    return levels


@lru_cache(maxsize=8)
def _filters(sample_rate: int, size: int) -> NDArray[np.float64]:
    """Gaussian filters, cut at -30 dB, on the frequencies of an FFT of `size`, (25, size / 2); wider ones are lower."""
    bins_in_hz = size / sample_rate
    centres, widths = np.array(CENTRES_HZ)[:, None], np.array(WIDTHS_HZ)[:, None]
    distance = (np.arange(size // 2) - np.floor(centres * bins_in_hz)) / (widths * bins_in_hz)
    gains = np.exp(-11 * np.square(distance)) * widths[0] / widths
    return np.where(gains > LOWEST_GAIN, gains, 0.0)


def _weights(levels: NDArray[np.float64], slopes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Klatt's weights of the slopes (K, 24): near the highest band, and near the peak that a slope leads to."""
    below_highest = levels.max(axis=-1, keepdims=True) - levels[:, :-1]
    below_peak = nearest_peaks(levels, slopes) - levels[:, :-1]
    near_highest: NDArray[np.float64] = GLOBAL_WEIGHT_DB / (GLOBAL_WEIGHT_DB + below_highest)
    near_peak: NDArray[np.float64] = LOCAL_WEIGHT_DB / (LOCAL_WEIGHT_DB + below_peak)
    return near_highest * near_peak


def nearest_peaks(levels: NDArray[np.float64], slopes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The level of the peak uphill of each slope, (K, 24).

    Where the slope rises, the authors' code takes the band before the peak. That is kept: published values have it.
    """
    count = slopes.shape[-1]
    above, below = np.full(slopes.shape, count), np.full(slopes.shape, -1)
    for band in reversed(range(count)):
        after = above[:, band + 1] if band + 1 < count else count
        above[:, band] = np.where(slopes[:, band] > 0, after, band)
    for band in range(count):
        before = below[:, band - 1] if band else -1
        below[:, band] = np.where(slopes[:, band] > 0, band, before)
    return np.take_along_axis(levels, np.where(slopes > 0, above - 1, below + 1), axis=-1)
