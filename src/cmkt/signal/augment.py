"""What recordings suffer besides noise and rooms: level, a narrow channel, clipping. All keep length and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import firwin, kaiser_beta, oaconvolve

from cmkt.errors import AudioError
from cmkt.signal.level import active_level_db
from cmkt.signal.mono import check_mono

if TYPE_CHECKING:
    from cmkt.types import FloatArray

STOP_BAND_DB = 60.0
TRANSITION_FRACTION = 0.1
"""Width of the transition of `band_limit` as a share of the cutoff; it is centred there."""


def scale_to(x: FloatArray, level_db: float, sample_rate: int) -> FloatArray:
    """`x` (T,) scaled to an active speech level (ITU-T P.56) of `level_db` dBFS. Nothing is clipped.

    Raises:
        AudioError: `x` is silent, not (T,), or not finite.
    """
    gain = 10 ** ((level_db - active_level_db(x, sample_rate)) / 20)
    return (x * gain).astype(x.dtype)


def band_limit(x: FloatArray, cutoff_hz: float, sample_rate: int) -> FloatArray:
    """`x` (T,) without what lies above `cutoff_hz`, as after a telephone or a low-rate codec; without delay.

    A linear-phase Kaiser FIR: -6 dB at the cutoff, -60 dB from 1.05 times the cutoff, centred so that nothing moves.

    Raises:
        AudioError: the cutoff is not between 0 and half the rate, or `x` is not (T,) or not finite.
    """
    check_mono(x, "x")
    nyquist = sample_rate / 2
    if not 0 < cutoff_hz < nyquist:
        raise AudioError(f"`cutoff_hz` must be between 0 and {nyquist:g}, but is {cutoff_hz:g} instead.")
    width = min(TRANSITION_FRACTION * cutoff_hz, nyquist - cutoff_hz)
    half = int(np.ceil((STOP_BAND_DB - 7.95) / (2 * 2.285 * np.pi * width / nyquist)))
    taps = firwin(2 * half + 1, cutoff_hz, window=("kaiser", kaiser_beta(STOP_BAND_DB)), fs=sample_rate)
    limited: FloatArray = oaconvolve(x, taps)[half : half + x.size]
    return limited.astype(x.dtype)


def clip(x: FloatArray, threshold_fraction: float) -> FloatArray:
    """`x` (any shape) cut off hard at `threshold_fraction` of its largest magnitude, as an overdriven input does.

    Raises:
        AudioError: the fraction is not in (0, 1].
    """
    if not 0 < threshold_fraction <= 1:
        raise AudioError(f"`threshold_fraction` must be in (0, 1], but is {threshold_fraction:g} instead.")
    if x.size == 0:
        return x.copy()
    threshold = threshold_fraction * float(np.abs(x).max())
    return np.clip(x, -threshold, threshold).astype(x.dtype)
