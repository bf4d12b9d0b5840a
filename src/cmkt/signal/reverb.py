"""A room around dry speech, and the target that goes with it, aligned to the direct path.

Shapes: T samples of speech, R samples of a room impulse response (RIR).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from cmkt.errors import AudioError
from cmkt.signal.level import is_silent
from cmkt.signal.mono import check_mono

if TYPE_CHECKING:
    from cmkt.types import FloatArray

ONSET_FRACTION = 0.5
"""The direct path is the first peak at least this large, as a share of the largest one: a reflection may be larger."""

PEAK_SECONDS = 0.001


def direct_path_delay(rir: FloatArray, sample_rate: int) -> int:
    """Delay of the direct path of `rir` (R,) in samples: the peak within 1 ms of the first large sample.

    Raises:
        AudioError: `rir` is silent, not (R,), or not finite.
    """
    if is_silent(check_mono(rir, "rir")):
        raise AudioError("`rir` must have a direct path, but is silent. Drop this room impulse response.")
    magnitude = np.abs(rir)
    onset = int(np.argmax(magnitude >= ONSET_FRACTION * magnitude.max()))
    window = max(1, int(PEAK_SECONDS * sample_rate))
    return onset + int(magnitude[onset : onset + window].argmax())


def reverberate(
    speech: FloatArray, rir: FloatArray, *, sample_rate: int, early_seconds: float = 0.05, delay: int | None = None
) -> tuple[FloatArray, FloatArray]:
    """`(reverberant, target)`, both (T,), in time with the speech: the direct path has delay 0 and gain 1 in both.

    The target holds the direct path and the reflections up to `early_seconds` after it, which help to understand
    speech rather than hurt; with 0 it is the dry speech itself. What rings on after T samples is cut.
    delay: the sample of `rir` where the direct path lies; None finds it by `direct_path_delay`.

    Shape: speech (T,), rir (R,), both at `sample_rate`.

    Raises:
        AudioError: `rir` is silent or has nothing at `delay`, `early_seconds` is negative, or an input is not one
            channel or not finite.
    """
    check_mono(speech, "speech")
    if early_seconds < 0:
        raise AudioError(f"`early_seconds` must be 0 or more, but is {early_seconds} instead.")
    if delay is None:
        delay = direct_path_delay(rir, sample_rate)
    elif not (0 <= delay < check_mono(rir, "rir").size and rir[delay] != 0.0):
        raise AudioError(f"`delay` must be where the direct path of `rir` lies, but is {delay} instead.")
    room = (rir / rir[delay]).astype(speech.dtype)
    size = next_fast_len(speech.size + room.size - 1, real=True)
    spectrum = rfft(speech, size)

    def through(response: FloatArray) -> FloatArray:
        filtered: FloatArray = irfft(spectrum * rfft(response, size), size)
        return filtered[delay : delay + speech.size].astype(speech.dtype)

    early = round(early_seconds * sample_rate)
    target = through(room[: delay + early + 1]) if early else speech.copy()
    return _padded(through(room), speech.size), _padded(target, speech.size)


def _padded(x: FloatArray, total: int) -> FloatArray:
    """`x` with zeros after it: the transform can end before `delay + total` when the RIR ends at its direct path."""
    return x if x.size == total else np.pad(x, (0, total - x.size))
