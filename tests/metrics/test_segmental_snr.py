from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.errors import ConfigError, MetricUndefinedError
from cmkt.metrics.segmental_snr import segmental_snr

Voice = Callable[[float, int], NDArray[np.float64]]
Pairs = dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
RATE = 16_000
SINE = np.sin(2 * np.pi * 400 * np.arange(RATE) / RATE)


def test_identical_signals_have_35() -> None:
    assert segmental_snr(estimate=SINE, reference=SINE, sample_rate=RATE) == 35


@pytest.mark.parametrize(("gain", "value"), [(1.1, 20.0), (0.9, 20.0), (1.01, 35.0), (0.0001, 0.0), (-9.0, -10.0)])
def test_the_error_of_a_wrong_level_is_a_share_of_the_signal(gain: float, value: float) -> None:
    """20 log10(1 / |1 - gain|), held within -10 and 35."""
    assert segmental_snr(estimate=gain * SINE, reference=SINE, sample_rate=RATE) == pytest.approx(value, abs=1e-3)


def test_halves_of_equal_length_are_averaged_in_db() -> None:
    """The first half has 20 dB, the second none; frames across the boundary lie between."""
    estimate = SINE * np.where(np.arange(RATE) < RATE // 2, 1.1, 2.0)
    assert segmental_snr(estimate=estimate, reference=SINE, sample_rate=RATE) == pytest.approx(10, abs=0.2)


def test_a_pause_with_noise_counts_as_minus_10_and_a_silent_one_without_error_as_35() -> None:
    reference = np.where(np.arange(RATE) < RATE // 2, SINE, 0)
    noisy_pause = np.where(np.arange(RATE) < RATE // 2, SINE, 0.01)
    value = segmental_snr(estimate=noisy_pause, reference=reference, sample_rate=RATE)
    assert value == pytest.approx((35 - 10) / 2, abs=1)
    assert segmental_snr(estimate=reference, reference=reference, sample_rate=RATE) == 35


@pytest.mark.parametrize(
    ("name", "value"), [("quiet", 12.9141362383), ("loud", -1.6289348938), ("dull", 19.5662482559)]
)
def test_it_is_that_of_another_implementation(name: str, value: float, pairs: Pairs) -> None:
    """SNRseg of pysepm-evo 0.1.1, a port of Loizou's MATLAB code."""
    estimate, reference = pairs[name]
    assert segmental_snr(estimate=estimate, reference=reference, sample_rate=RATE) == pytest.approx(value, abs=1e-8)


def test_more_noise_is_worse_and_both_levels_together_do_not_matter(voice: Voice) -> None:
    x = voice(3, RATE)
    noise = np.random.default_rng(0).standard_normal(x.size)
    scores = [
        segmental_snr(estimate=gain * (x + level * noise), reference=gain * x, sample_rate=RATE)
        for gain in (1.0, 0.1)
        for level in (1e-3, 1e-2, 1e-1)
    ]
    assert 35 > scores[0] > scores[1] > scores[2] > -10
    assert scores[3:] == pytest.approx(scores[:3])


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_the_rate_hardly_matters(rate: int) -> None:
    sine = np.sin(2 * np.pi * 400 * np.arange(rate) / rate)
    assert segmental_snr(estimate=1.1 * sine, reference=sine, sample_rate=rate) == pytest.approx(20, abs=1e-6)


def test_too_short_silent_and_not_finite_are_undefined_and_another_length_is_a_config_error() -> None:
    with pytest.raises(MetricUndefinedError, match=r"37\.5 ms"):
        segmental_snr(estimate=SINE[:599], reference=SINE[:599], sample_rate=RATE)
    for bad in (0 * SINE, np.full(RATE, np.nan)):
        with pytest.raises(MetricUndefinedError):
            segmental_snr(estimate=bad, reference=SINE, sample_rate=RATE)
    with pytest.raises(ConfigError, match="as long as"):
        segmental_snr(estimate=SINE[1:], reference=SINE, sample_rate=RATE)
