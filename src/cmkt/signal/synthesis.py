"""Noises made from nothing, for the demo and for augmentation.

Each gives float32 (n,) at an RMS of 0.1 (-20 dBFS), or less where its peak would otherwise pass 0.99.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.fft import irfft, next_fast_len, rfftfreq

from cmkt.errors import AudioError
from cmkt.signal.level import is_silent
from cmkt.signal.mono import check_mono

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cmkt.types import FloatArray

RMS = 0.1
PEAK = 0.99
HUM_HARMONICS = 12
CLICKS_PER_SECOND = (1.0, 6.0)
MODULATION_HZ = (0.5, 8.0)


def coloured(n: int, exponent: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Gaussian noise whose power falls as 1/f^exponent: 0 is white, 1 pink, 2 brown, -1 blue. No constant part."""
    return levelled(_coloured(n, exponent, rng))


def hum(n: int, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Mains hum at 50 or 60 Hz with random harmonics, each weaker than the last on average, over a trace of hiss."""
    base_hz = float(rng.choice([50.0, 60.0])) * float(rng.uniform(0.995, 1.005))
    time = np.arange(n) / sample_rate
    out = 0.01 * rng.standard_normal(n)
    for harmonic in range(1, HUM_HARMONICS + 1):
        if harmonic * base_hz < sample_rate / 2:
            phase = rng.uniform(0, 2 * np.pi)
            out += rng.uniform() / harmonic * np.sin(2 * np.pi * harmonic * base_hz * time + phase)
    return levelled(out)


def clicks(n: int, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Short decaying bursts at random times, as of a keyboard or of cutlery; at least one."""
    out = np.zeros(n)
    count = max(1, round(n / sample_rate * float(rng.uniform(*CLICKS_PER_SECOND))))
    for start in rng.integers(0, max(n, 1), count):
        decay_samples = sample_rate * float(rng.uniform(0.002, 0.02))
        length = min(n - int(start), int(8 * decay_samples) + 1)
        time = np.arange(length)
        tone = np.sin(2 * np.pi * rng.uniform(500, 0.4 * sample_rate) / sample_rate * time + rng.uniform(0, 2 * np.pi))
        burst = (tone + rng.standard_normal(length)) * np.exp(-time / decay_samples)
        out[start : start + length] += rng.uniform(0.3, 1.0) * burst
    return levelled(out)


def modulated(n: int, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Coloured noise that swells and fades a few times a second, as of wind, waves or machines."""
    rate_hz = float(rng.uniform(*MODULATION_HZ))
    slow = np.sin(2 * np.pi * rate_hz * np.arange(n) / sample_rate + rng.uniform(0, 2 * np.pi))
    depth_db = float(rng.uniform(5, 15))
    return levelled(_coloured(n, float(rng.uniform(0, 2)), rng) * 10 ** (depth_db * slow / 20))


def babble(voices: Sequence[FloatArray], n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """All `voices` at once, at equal RMS, each repeated from a random start.

    Shape: voices, each (n_i,).

    Raises:
        AudioError: no voice is given, or one is silent, not (n_i,), or not finite.
    """
    if not voices:
        raise AudioError("`voices` must hold at least one voice, but is empty.")
    out = np.zeros(n)
    for voice in voices:
        if is_silent(check_mono(voice, "voices")):
            raise AudioError("`voices` must not be silent, but one of them is. Leave it out.")
        start = int(rng.integers(voice.size))
        out += voice[(start + np.arange(n)) % voice.size] / np.sqrt(np.mean(np.square(voice, dtype=np.float64)))
    return levelled(out)


def _coloured(n: int, exponent: float, rng: np.random.Generator) -> NDArray[np.float64]:
    size = next_fast_len(max(n, 2), real=True)
    frequency = rfftfreq(size)
    weight = np.zeros(frequency.size)
    weight[1:] = frequency[1:] ** (-exponent / 2)
    spectrum = weight * (rng.standard_normal(frequency.size) + 1j * rng.standard_normal(frequency.size))
    noise: NDArray[np.float64] = irfft(spectrum, size)
    return noise[:n]


def levelled(x: NDArray[np.float64]) -> NDArray[np.float32]:
    """`x` (n,) at an RMS of 0.1, or less where its peak would pass 0.99; silence stays silence.

    Raises:
        AudioError: `x` is empty.
    """
    if x.size == 0:
        raise AudioError("`n` must be at least 1 sample, but is 0 instead.")
    rms = np.sqrt(np.mean(x**2))
    peak = np.abs(x).max()
    gain = min(RMS / rms, PEAK / peak) if peak > 0 else 1.0
    return (x * gain).astype(np.float32)
