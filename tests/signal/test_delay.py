"""A delay is found to a fraction of a sample, in noise, at any level and polarity; none is made up."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from cmkt.errors import AudioError
from cmkt.signal.delay import find_delay
from cmkt.signal.resample import resample

RATE = 16_000


def speech(seed: int, *, seconds: float = 2.0) -> NDArray[np.float64]:
    """Pulses of a gliding pitch and breath through a formant, in syllables: strongly periodic, as speech is."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    phase = np.cumsum(120 + 20 * np.sin(2 * np.pi * time + seed)) / RATE
    pulses = np.diff(np.floor(phase), prepend=0.0)
    source = (pulses + 0.02 * rng.standard_normal(time.size)) * np.clip(np.sin(2 * np.pi * 3 * time), 0, None)
    return np.asarray(lfilter([1.0], [1.0, -1.6, 0.85], source)) * 0.1


def delayed(x: NDArray[np.float64], samples: int) -> NDArray[np.float64]:
    out = np.zeros_like(x)
    if samples >= 0:
        out[samples:] = x[: x.size - samples]
    else:
        out[:samples] = x[-samples:]
    return out


@pytest.mark.parametrize("samples", [0, 1, -1, 197, -640, 12_000])
@pytest.mark.parametrize("gain", [1.0, 0.01, -3.0])
def test_delay_and_polarity_are_found_at_any_level(samples: int, gain: float) -> None:
    reference = speech(0)
    found = find_delay(gain * delayed(reference, samples), reference, sample_rate=RATE)
    assert found.samples == pytest.approx(samples, abs=0.02)
    assert np.sign(found.correlation) == np.sign(gain)


def test_a_signal_is_its_own_copy() -> None:
    found = find_delay(speech(0), speech(0), sample_rate=RATE)
    assert found.samples == pytest.approx(0, abs=1e-6)
    assert found.correlation == pytest.approx(1, rel=1e-3)


def test_a_fraction_of_a_sample_is_told() -> None:
    fine = resample(speech(0), RATE, 3 * RATE)
    late = resample(np.concatenate([np.zeros(4), fine[:-4]]), 3 * RATE, RATE)
    assert find_delay(late, resample(fine, 3 * RATE, RATE), sample_rate=RATE).samples == pytest.approx(4 / 3, abs=0.1)


def test_noise_ten_decibels_louder_does_not_hide_it() -> None:
    reference, rng = speech(0), np.random.default_rng(1)
    noise = rng.standard_normal(reference.size)
    noise *= np.sqrt(10 * np.mean(reference**2) / np.mean(noise**2))
    found = find_delay(delayed(reference, 33) + noise, reference, sample_rate=RATE)
    assert found.samples == pytest.approx(33, abs=0.1)
    assert found.distinctness > 18


def test_unrelated_signals_have_no_distinct_delay() -> None:
    rng = np.random.default_rng(2)
    noises = rng.standard_normal((20, 2 * RATE))
    found = [find_delay(noise, speech(seed), sample_rate=RATE).distinctness for seed, noise in enumerate(noises)]
    assert max(found) < 10
    assert find_delay(speech(0), speech(0), sample_rate=RATE).distinctness > 40


def test_a_delay_beyond_half_of_the_signal_is_not_looked_for() -> None:
    reference = speech(0, seconds=0.5)
    assert abs(find_delay(delayed(reference, 5000), reference, sample_rate=RATE).samples) <= 4000


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        (np.zeros(100), "must not be silent"),
        (np.ones(99), "100 samples as `reference`, but has 99"),
        (np.ones((1, 100)), "one channel"),
        (np.full(100, np.nan), "finite"),
    ],
)
def test_what_has_no_delay_is_refused(signal: NDArray[np.float64], message: str) -> None:
    with pytest.raises(AudioError, match=message):
        find_delay(signal, np.ones(100), sample_rate=RATE)
