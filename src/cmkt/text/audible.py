"""Audio as a recogniser takes it: its rate, and nothing in which no word can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from cmkt.signal.mono import check_mono
from cmkt.signal.resample import resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cmkt.types import FloatArray

SHORTEST_SECONDS: Final = 0.1
"""No word is shorter; networks have convolutions that need as much, and make up words in silence."""


def audible(audio: FloatArray, *, sample_rate: int, at: int) -> NDArray[np.float32] | None:
    """The audio (T,) of `sample_rate` at the rate `at`, both in Hz; None where it is digital silence or under 0.1 s.

    Raises: AudioError where the audio is not (T,) and finite; an empty one is None.
    """
    if audio.ndim == 1 and audio.size == 0:
        return None
    checked = check_mono(audio, "audio")
    if audio.size < SHORTEST_SECONDS * sample_rate or not checked.any():
        return None
    return np.asarray(resample(checked, sample_rate, at), dtype=np.float32)
