"""Speech and noise at a given signal-to-noise ratio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmkt.errors import AudioError
from cmkt.signal.level import active_level_db, rms_db

if TYPE_CHECKING:
    from cmkt.types import FloatArray


def mix(speech: FloatArray, noise: FloatArray, *, snr_db: float, sample_rate: int) -> tuple[FloatArray, FloatArray]:
    """`(mixture, scaled_noise)`, both (T,), where the noise lies `snr_db` under the speech.

    The speech keeps its level. The ratio is the ITU-T P.56 active level of the speech over the RMS of the noise
    across the whole mixture, so pauses in the speech do not change it but pauses in the noise do. Nothing is clipped.

    Shape: speech (T,), noise (T,).

    Raises:
        AudioError: lengths differ, or one of the two is silent, not (T,) or not finite.
    """
    if speech.shape != noise.shape:
        raise AudioError(
            f"`noise` must have the shape of the speech, {speech.shape}, but has {noise.shape} instead. "
            "Place it first: cmkt.signal.placement.place_noise."
        )
    gain_db = active_level_db(speech, sample_rate) - rms_db(noise) - snr_db
    scaled = (noise * 10 ** (gain_db / 20)).astype(speech.dtype)
    return speech + scaled, scaled
