"""What recordings suffer or differ in besides noise and rooms: level, speed, colour, a narrow channel, clipping.

All but `change_speed` keep length and time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import firwin, kaiser_beta, lfilter, oaconvolve

from cmkt.errors import AudioError
from cmkt.signal.level import active_level_db
from cmkt.signal.mono import check_mono
from cmkt.signal.resample import resample

if TYPE_CHECKING:
    from cmkt.types import FloatArray

SPEED_STEPS = 1000
"""Speeds are rounded to thousandths."""

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


def change_speed(x: FloatArray, factor: float) -> FloatArray:
    """`x` (T,) played `factor` times as fast, tempo and pitch together: about T / factor samples. 1 gives `x` itself.

    After Ko et al., "Audio Augmentation for Speech Recognition", Interspeech 2015.

    Raises:
        AudioError: the factor is not positive, or `x` is not float.
    """
    if not factor > 0:
        raise AudioError(f"`factor` must be above 0, but is {factor:g} instead.")
    return resample(x, round(SPEED_STEPS * factor), SPEED_STEPS)


def colour(x: FloatArray, coefficients: tuple[float, float, float, float]) -> FloatArray:
    """`x` (T,) through (1 + a z^-1 + b z^-2) / (1 + c z^-1 + d z^-2), as from another microphone.

    Valin, "A Hybrid DSP/Deep Learning Approach to Real-Time Full-Band Speech Enhancement", MMSP 2018, equation 6.

    Raises:
        AudioError: the filter is not stable.
    """
    a, b, c, d = coefficients
    if not (abs(d) < 1 and abs(c) < 1 + d):
        raise AudioError(f"`coefficients` must give a stable filter, but the denominator is (1, {c:g}, {d:g}) instead.")
    coloured: FloatArray = lfilter((1.0, a, b), (1.0, c, d), x).astype(x.dtype)
    return coloured


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
