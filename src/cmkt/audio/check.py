"""What an array must be before anything enhances or scores it.

Shapes: C channels, T samples, time last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cmkt.errors import AudioError

if TYPE_CHECKING:
    from cmkt.types import FloatArray

RATES = (4_000, 384_000)
"""Sample rates in Hz that are taken for real ones."""

MANY_CHANNELS = 32
"""More channels than this beside fewer time steps than this are taken for swapped axes."""


def check_array(audio: FloatArray, *, sample_rate: int) -> FloatArray:
    """`audio`, (T,) or (C, T) with full scale 1.0, as float32 or float64 of the same shape.

    Raises:
        AudioError: not float, of another rank, empty, not finite, with an axis order like (time, channels), or with a
            `sample_rate` that is not an integer between 4,000 and 384,000 Hz.
    """
    check_rate(sample_rate)
    audio = np.asarray(audio)
    if not np.issubdtype(audio.dtype, np.floating):
        raise AudioError(
            f"`audio` must be float with full scale 1.0, but is {audio.dtype} instead. "
            "Divide integers by their full scale, 32768 for int16."
        )
    if audio.ndim not in (1, 2):
        raise AudioError(f"`audio` must be (time,) or (channels, time), but has shape {audio.shape} instead.")
    if audio.size == 0:
        raise AudioError(f"`audio` must hold samples, but has shape {audio.shape}.")
    if audio.ndim == 2 and audio.shape[0] > MANY_CHANNELS >= audio.shape[1]:
        raise AudioError(
            f"`audio` must be (channels, time), but its shape {audio.shape} looks like (time, channels). Pass audio.T."
        )
    if not np.isfinite(audio).all():
        bad = int(audio.size - np.isfinite(audio).sum())
        raise AudioError(f"`audio` must be finite, but {bad} of its {audio.size} samples are NaN or infinite.")
    return audio.astype(np.float64 if audio.dtype == np.float64 else np.float32, copy=False)


def check_rate(sample_rate: int) -> int:
    """`sample_rate` in Hz as an int.

    Raises:
        AudioError: not an integer between 4,000 and 384,000.
    """
    whole = isinstance(sample_rate, int | np.integer) and not isinstance(sample_rate, bool)
    if not whole or not RATES[0] <= sample_rate <= RATES[1]:
        raise AudioError(
            f"`sample_rate` must be an integer between {RATES[0]:,} and {RATES[1]:,} Hz, but is {sample_rate!r}."
        )
    return int(sample_rate)
