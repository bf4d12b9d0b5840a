from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.evaluation.noise_kind import mixture_noise_kind

RATE = 16_000
RNG = np.random.default_rng(0)
CLEAN = np.sin(np.arange(4 * RATE) / 10) * np.clip(np.sin(np.arange(4 * RATE) / 3_000), 0, None)
HISS = 0.1 * RNG.standard_normal(CLEAN.size)


def kind(noisy: NDArray[np.float64], clean: NDArray[np.float64] | None, **about: object) -> str | None:
    return mixture_noise_kind(about, noisy=noisy, clean=clean, sample_rate=RATE)


@pytest.mark.parametrize("gain", [0.1, 1.0, 10.0])
def test_the_noise_is_looked_at_and_not_the_speech_whatever_the_snr(gain: float) -> None:
    assert kind(CLEAN + gain * HISS, CLEAN) == "stationary"
    assert kind(CLEAN + gain * HISS * np.arange(CLEAN.size), CLEAN) == "environmental"


def test_what_the_data_state_counts_first() -> None:
    assert kind(CLEAN + HISS, CLEAN, noise_kind="babble") == "babble"
    assert kind(CLEAN + HISS, None, noise_kind="babble") == "babble"


def test_what_cannot_be_known_is_none() -> None:
    assert kind(CLEAN + HISS, None) is None
    assert kind(CLEAN + HISS, CLEAN, rir_id="room 3") is None
    assert kind(CLEAN + HISS, CLEAN[1:]) is None
    assert kind(CLEAN, CLEAN) is None
    assert kind(CLEAN[:99] + HISS[:99], CLEAN[:99]) is None
    assert kind(CLEAN + HISS, CLEAN, rir_id=None, noise_kind="") == "stationary"
