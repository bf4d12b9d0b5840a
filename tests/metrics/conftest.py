"""Something that a metric takes for speech, and pairs whose values other implementations gave."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

Voice = Callable[[float, int], NDArray[np.float64]]
Pairs = dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]


@pytest.fixture(scope="session")
def voice() -> Voice:
    """`voice(seconds, sample_rate)`: (T,), harmonics of a gliding pitch in syllables four times a second."""

    def speak(seconds: float, sample_rate: int) -> NDArray[np.float64]:
        time = np.arange(round(seconds * sample_rate)) / sample_rate
        phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * time)) / sample_rate
        harmonics = sum(np.sin(k * phase + k) / k for k in range(1, 30))
        syllables = np.maximum(np.sin(2 * np.pi * 2 * time), 0) ** 0.5
        return 0.1 * np.asarray(harmonics) * syllables

    return speak


@pytest.fixture(scope="session")
def pairs(voice: Voice) -> Pairs:
    """Three pairs of (estimate, reference) at 16 kHz, 3 s: little noise, much noise, and a mild low-pass."""
    reference = voice(3, 16_000) + 1e-4 * np.random.default_rng(1).standard_normal(48_000)
    noise = np.random.default_rng(0).standard_normal(48_000)
    return {
        "quiet": (reference + 0.001 * noise, reference),
        "loud": (reference + 0.03 * noise, reference),
        "dull": (np.convolve(reference, [0.2, 0.6, 0.2], "same"), reference),
    }
