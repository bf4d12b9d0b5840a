"""Something that a metric takes for speech."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

Voice = Callable[[float, int], NDArray[np.float64]]


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
