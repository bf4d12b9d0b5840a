"""What kind of noise a recording holds, told by how its level moves: stationary, impulsive or environmental.

Shapes: T samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from cmkt.errors import AudioError
from cmkt.signal.level import is_silent
from cmkt.signal.mono import check_mono

if TYPE_CHECKING:
    from cmkt.types import FloatArray

NoiseKind = Literal["stationary", "impulsive", "environmental"]

FRAME_SECONDS: Final = 0.05
SHORTEST_SECONDS: Final = 0.5
LARGEST_SPREAD_DB: Final = 6.0
"""The level of stationary noise moves by a factor of two in amplitude or less."""
SMALLEST_SHARE: Final = 0.6
"""Impulsive noise has most of its energy in a tenth of its time."""
FLOOR_DB: Final = -100.0
"""Frames lower than this below the loudest one count as if they had this level."""


def noise_kind(noise: FloatArray, sample_rate: int) -> NoiseKind:
    """The kind of a noise `noise` (T,), from the levels of its frames of 50 ms; a gain does not change it.

    Impulsive where the loudest tenth of the frames holds 60% of the energy or more; else stationary where the 90th
    percentile of the level lies 6 dB or less above the 10th; else environmental. Gaussian noise is stationary
    whatever its colour, a dog that barks now and then impulsive, and a passing train environmental.

    Raises: AudioError where it is silent, shorter than half a second, not (T,) or not finite.
    """
    check_mono(noise, "noise")
    if noise.size < SHORTEST_SECONDS * sample_rate or is_silent(noise):
        raise AudioError(f"`noise` must be {SHORTEST_SECONDS:g} s of sound or more, but is silent or shorter.")
    energy = _frame_energy(noise, sample_rate)
    loudest = np.sort(energy)[-max(1, energy.size // 10) :]
    if loudest.sum() >= SMALLEST_SHARE * energy.sum():
        return "impulsive"
    level_db = 10 * np.log10(np.maximum(energy, energy.max() * 10 ** (FLOOR_DB / 10)))
    low_db, high_db = np.percentile(level_db, [10, 90])
    return "stationary" if high_db - low_db <= LARGEST_SPREAD_DB else "environmental"


def _frame_energy(x: FloatArray, sample_rate: int) -> FloatArray:
    frame_samples = max(1, round(FRAME_SECONDS * sample_rate))
    frames = x[: x.size // frame_samples * frame_samples].reshape(-1, frame_samples).astype(np.float64)
    energy: FloatArray = np.einsum("ft,ft->f", frames, frames)
    return energy
