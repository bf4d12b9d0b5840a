"""How far speech stands above the noise of its own recording. A clean recording has a floor, too; it is only lower.

Shapes: T samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cmkt.signal.level import active_level_db

if TYPE_CHECKING:
    from cmkt.types import FloatArray

FRAME_SECONDS = 0.02
PERCENTILE = 10.0
FLOOR_DB = -90.0
"""Frames under this level in dBFS, about the rounding noise of 16 bits, count as if they had it."""


def speech_to_floor_db(x: FloatArray, sample_rate: int) -> float:
    """Active speech level of `x` (T,) minus the noise floor of the recording: dB, higher is cleaner.

    The level is that of ITU-T P.56. The floor is the 10th percentile of the RMS of frames of 20 ms: even read speech
    pauses for a tenth of its time, and lower percentiles would rest on a few frames of a short utterance. Stationary
    noise has about 0.5 dB; 40 dB is a quiet room. Speech without a pause has a low value however clean it is, and one
    whose pauses were muted a high value however noisy its words are. A gain does not change it as long as the floor
    stays above -90 dBFS: quieter frames, such as digital silence, count as -90 dBFS.

    Raises:
        AudioError: `x` is silent, not (T,), or not finite.
    """
    level_db = active_level_db(x, sample_rate)
    frame_samples = min(max(1, round(FRAME_SECONDS * sample_rate)), x.size)
    frames = x[: x.size // frame_samples * frame_samples].reshape(-1, frame_samples)
    mean_square = np.einsum("ft,ft->f", frames, frames) / frame_samples
    frame_db = 10 * np.log10(np.maximum(mean_square, 10 ** (FLOOR_DB / 10)))
    return level_db - float(np.percentile(frame_db, PERCENTILE))
