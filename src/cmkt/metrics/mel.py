"""Triangular filters on the mel scale of Slaney's Auditory Toolbox (1998): linear to 1 kHz, logarithmic above."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

HZ_IN_MEL: Final = 200 / 3
BREAK_HZ: Final = 1000.0
BREAK_MEL: Final = BREAK_HZ / HZ_IN_MEL
LOG_STEP: Final = float(np.log(6.4)) / 27
"""27 mels above the break take the frequency to 6.4 kHz."""


def hz_to_mel(hz: float) -> float:
    """Mels on Slaney's scale; 1 kHz has 15."""
    return hz / HZ_IN_MEL if hz < BREAK_HZ else BREAK_MEL + float(np.log(hz / BREAK_HZ)) / LOG_STEP


def mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of `hz_to_mel`, of an array of any shape."""
    return np.where(mel < BREAK_MEL, mel * HZ_IN_MEL, BREAK_HZ * np.exp(LOG_STEP * (mel - BREAK_MEL)))


def mel_filters(*, sample_rate: int, size: int, bands: int) -> NDArray[np.float64]:
    """Filters from 0 Hz to half the rate on the frequencies of an FFT of `size` samples: (bands, size // 2 + 1).

    Each is a triangle between the centres of its neighbours, of area 1 in Hz before it is sampled.
    """
    corners = mel_to_hz(np.linspace(0.0, hz_to_mel(sample_rate / 2), bands + 2))
    low, centre, high = (corners[start : start + bands, None] for start in range(3))
    hz = np.fft.rfftfreq(size, 1 / sample_rate)
    triangles = np.minimum((hz - low) / (centre - low), (high - hz) / (high - centre))
    return np.maximum(triangles, 0.0) * 2 / (high - low)
