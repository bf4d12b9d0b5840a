"""The level of a reference in a signal is told whatever else is there, and whatever was taken away."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.errors import AudioError
from cmkt.signal.agreement import agreeing_gain
from tests.signal.test_delay import RATE, speech

REFERENCE = speech(0)


@pytest.mark.parametrize("gain", [1.0, 0.5, -2.0, 1e-3])
def test_a_scaled_signal_has_its_factor(gain: float) -> None:
    assert agreeing_gain(gain * REFERENCE, REFERENCE, sample_rate=RATE) == pytest.approx(gain)


def test_noise_hardly_moves_it() -> None:
    noise = np.random.default_rng(0).standard_normal(REFERENCE.size)
    noise *= np.sqrt(10**0.5 * np.mean(REFERENCE**2) / np.mean(noise**2))
    assert agreeing_gain(0.5 * REFERENCE + noise, REFERENCE, sample_rate=RATE) == pytest.approx(0.5, rel=0.15)


def test_speech_that_was_taken_away_with_noise_does_not_count() -> None:
    loud = np.arange(REFERENCE.size) > REFERENCE.size // 4
    noise = 0.02 * loud * np.random.default_rng(0).standard_normal(REFERENCE.size)
    suppressed = np.where(loud, 0.1, 1.0) * (REFERENCE + noise)
    assert np.dot(suppressed, REFERENCE) / np.dot(REFERENCE, REFERENCE) < 0.5
    assert agreeing_gain(suppressed, REFERENCE, sample_rate=RATE) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    ("signal", "reference", "message"),
    [
        (np.ones(1000), np.zeros(1000), "silent"),
        (np.ones(999), np.ones(1000), "1000 samples"),
        (np.ones(500), np.ones(500), "32 ms"),
        (np.ones((1, 1000)), np.ones(1000), "one channel"),
    ],
)
def test_what_has_no_gain_is_refused(signal: NDArray[np.float64], reference: NDArray[np.float64], message: str) -> None:
    with pytest.raises(AudioError, match=message):
        agreeing_gain(signal, reference, sample_rate=RATE)


def test_a_silent_signal_holds_nothing() -> None:
    assert agreeing_gain(np.zeros(RATE * 2), REFERENCE, sample_rate=RATE) == 0
