"""Segmental SNR, the mean over short frames of the reference against the error.

Hansen and Pellom, An Effective Quality Evaluation Protocol for Speech Enhancement Algorithms, ICSLP 1998. In dB, from
-10 to 35, higher is better. Identical signals have 35.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from cmkt.metrics.frames import frames
from cmkt.metrics.pair import check_pair

if TYPE_CHECKING:
    from cmkt.types import FloatArray

LOWEST_DB: Final = -10.0
HIGHEST_DB: Final = 35.0
"""Frames outside of these are set to them, as in the paper: quieter or cleaner ones are heard alike."""


def segmental_snr(*, estimate: FloatArray, reference: FloatArray, sample_rate: int) -> float:
    """Mean over frames of 10 log10(|s|^2 / |s - e|^2) in dB, each held within -10 and 35; higher is better.

    Frames of the reference s and the estimate e last 30 ms, 75% overlapping, under a Hann window. Pauses count, at or
    near -10 unless they are silent in both; a frame without any error has 35 (where it is silent, the authors' code has
    -10). The level of the estimate matters.

    Shape: estimate (T,), reference (T,).

    Raises:
        ConfigError: shapes differ or are not (T,).
        MetricUndefinedError: silence, not finite, or under 37.5 ms.
    """
    estimate, reference = check_pair(estimate=estimate, reference=reference, sample_rate=sample_rate)
    signal = np.square(frames(reference, sample_rate)).sum(axis=-1)
    error = np.square(frames(reference - estimate, sample_rate)).sum(axis=-1)
    tiny = np.finfo(np.float64).tiny
    ratio_db = 10 * (np.log10(np.maximum(signal, tiny)) - np.log10(np.maximum(error, tiny)))
    ratio_db[error == 0] = HIGHEST_DB
    return float(ratio_db.clip(LOWEST_DB, HIGHEST_DB).mean())
