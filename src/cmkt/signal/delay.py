"""By how much a signal lies behind another one that is heard in it, through noise and processing.

Cross-correlation of two signals that were made spectrally flat, each by its own smoothed spectrum: the smoothed
coherence transform of Carter, Nuttall and Cable (Proceedings of the IEEE, 1973), one of the generalised correlations
of Knapp and Carter (IEEE Transactions on Acoustics, Speech, and Signal Processing, 1976). Plain correlation of speech,
which repeats with its pitch, has a second peak half as high as the first, and up to 0.88 of it (58 noisy utterances at
-5 dB); this one 0.09 and 0.22.

Shapes: T samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.ndimage import uniform_filter1d

from cmkt.errors import AudioError
from cmkt.signal.level import is_silent
from cmkt.signal.mono import check_mono

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cmkt.types import FloatArray

LONGEST_SECONDS = 1.0
"""Delays are looked for up to this and up to half of the signal, to both sides."""

SMOOTHING_HZ = 100.0
FINENESS = 4
"""Steps in a sample. In whole samples a parabola would put a third of a sample at a tenth."""

FLOOR_DB = -50.0
"""Bands this far under the strongest one are not lifted to its level: they may hold nothing but rounding."""


@final
@dataclass(frozen=True, slots=True)
class Delay:
    """Where a signal lies against its reference.

    samples: how much later, to a fraction of a sample, negative for earlier; correlation: of the flattened signals at
    that delay, in [-1, 1], negative for an inverted signal; distinctness: its magnitude over the RMS of the correlation
    at all delays that were looked at, which is 5 to 17 for seconds of unrelated speech.
    """

    samples: float
    correlation: float
    distinctness: float


def find_delay(signal: FloatArray, reference: FloatArray, *, sample_rate: int) -> Delay:
    """The delay at which `signal` (T,) holds `reference` (T,), which may be inverted and of any level.

    Raises:
        AudioError: lengths differ, or one of the two is silent, not (T,) or not finite.
    """
    for name, x in (("signal", signal), ("reference", reference)):
        if is_silent(check_mono(x, name)):
            raise AudioError(f"`{name}` must not be silent to be compared in time, but is.")
    if signal.shape != reference.shape:
        raise AudioError(f"`signal` must have {reference.size} samples as `reference`, but has {signal.size} instead.")
    longest = min(round(LONGEST_SECONDS * sample_rate), signal.size // 2)
    correlation = _flat_correlation(signal, reference, longest, sample_rate)
    height = np.abs(correlation)
    peak = int(height.argmax())
    return Delay(
        samples=(peak + _between(height, peak)) / FINENESS - longest,
        correlation=float(correlation[peak]),
        distinctness=float(height[peak] / np.sqrt(np.mean(np.square(height)))),
    )


def _flat_correlation(signal: FloatArray, reference: FloatArray, longest: int, sample_rate: int) -> NDArray[np.float64]:
    """From -longest to longest in steps of a quarter of a sample; 1 at 0 for equal signals."""
    size = next_fast_len(signal.size + longest, real=True)
    flat = [_flattened(rfft(x.astype(np.float64), size), size, sample_rate) for x in (signal, reference)]
    energies = [irfft(np.square(np.abs(each)), size)[0] for each in flat]
    correlation = FINENESS * irfft(flat[0] * np.conj(flat[1]), FINENESS * size)
    around = np.concatenate([correlation[-FINENESS * longest :], correlation[: FINENESS * longest + 1]])
    return np.asarray(around / np.sqrt(energies[0] * energies[1]))


def _flattened(spectrum: NDArray[np.complex128], size: int, sample_rate: int) -> NDArray[np.complex128]:
    width = max(1, round(SMOOTHING_HZ * size / sample_rate))
    power = uniform_filter1d(np.square(np.abs(spectrum)), width, mode="nearest")
    flattened: NDArray[np.complex128] = spectrum / np.sqrt(np.maximum(power, power.max() * 10 ** (FLOOR_DB / 10)))
    return flattened


def _between(values: NDArray[np.float64], peak: int) -> float:
    """Where between its neighbours the top of a parabola through a peak lies, in [-0.5, 0.5]."""
    if not 0 < peak < values.size - 1:
        return 0.0
    before, top, after = values[peak - 1 : peak + 2]
    curvature = before - 2 * top + after
    return float(0.5 * (before - after) / curvature) if curvature < 0 else 0.0
