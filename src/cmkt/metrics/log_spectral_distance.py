"""Log-spectral distance: how far the spectra of the estimate are from those of the reference, in dB.

Gray and Markel, Distance Measures for Speech Processing, IEEE Transactions on Acoustics, Speech, and Signal Processing,
1976; with the limit of 50 dB of Cohen and Gannot, Spectral Enhancement Methods, in Springer Handbook of Speech
Processing, 2008. From 0, lower is better. Identical signals have 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import fft
from scipy.signal import get_window

from cmkt.errors import MetricUndefinedError
from cmkt.metrics.pair import check_pair

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cmkt.types import FloatArray

FRAME_SECONDS: Final = 0.032
RANGE_DB: Final = 50.0


def log_spectral_distance(*, estimate: FloatArray, reference: FloatArray, sample_rate: int) -> float:
    """Mean over frames of the root mean square over frequencies of the difference of log spectra; dB, lower is better.

    Frames last 32 ms, half overlapping, under a Hann window. Power more than 50 dB below the highest of the reference
    is set to that level in both, so that what nobody hears does not count; the level of the estimate matters.
    Frequencies up to half of the rate count, so values of different rates cannot be compared.

    Shape: estimate (T,), reference (T,).

    Raises:
        ConfigError: shapes differ or are not (T,).
        MetricUndefinedError: silence, not finite, or under 32 ms.
    """
    estimate, reference = check_pair(estimate=estimate, reference=reference, sample_rate=sample_rate)
    powers = _power(reference, sample_rate)
    floor = powers.max() * 10 ** (-RANGE_DB / 10)
    ratio = np.maximum(powers, floor) / np.maximum(_power(estimate, sample_rate), floor)
    return float(np.sqrt(np.square(10 * np.log10(ratio)).mean(axis=-1)).mean())


def _power(x: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Power spectra of `x` (T,), (frames, frequencies)."""
    samples = round(FRAME_SECONDS * sample_rate)
    if samples < 2 or x.size < samples:
        raise MetricUndefinedError(f"LSD needs at least {FRAME_SECONDS * 1000:g} ms")
    windows = np.lib.stride_tricks.sliding_window_view(x, samples)[:: samples // 2]
    power: NDArray[np.float64] = np.square(np.abs(fft.rfft(windows * get_window("hann", samples), axis=-1)))
    return power
