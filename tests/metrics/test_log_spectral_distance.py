from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.errors import ConfigError, MetricUndefinedError
from cmkt.metrics.log_spectral_distance import log_spectral_distance

Voice = Callable[[float, int], NDArray[np.float64]]
RATE = 16_000


def test_identical_signals_have_0(voice: Voice) -> None:
    x = voice(3, RATE)
    assert log_spectral_distance(estimate=x, reference=x, sample_rate=RATE) == 0


@pytest.mark.parametrize("gain_db", [-6.0, 6.0, 20.0])
def test_another_level_of_white_noise_is_that_many_db_away(gain_db: float) -> None:
    x = np.random.default_rng(0).standard_normal(RATE)
    value = log_spectral_distance(estimate=x * 10 ** (gain_db / 20), reference=x, sample_rate=RATE)
    assert value == pytest.approx(abs(gain_db), abs=0.02)


def test_a_band_that_is_lost_counts_by_its_share_of_the_frequencies() -> None:
    """The highest of 16,000 powers is 10 to 12 dB above their mean, the mean of their logarithms 2.5 dB below it.

    So half of the band falls by 50 - 11 - 2.5 dB to the floor: sqrt(1/2) of that, about 26 dB.
    """
    x = np.random.default_rng(0).standard_normal(RATE)
    spectrum = np.fft.rfft(x)
    spectrum[spectrum.size // 2 :] = 0
    value = log_spectral_distance(estimate=np.fft.irfft(spectrum), reference=x, sample_rate=RATE)
    assert value == pytest.approx(26, abs=1)


def test_what_lies_50_db_below_the_highest_does_not_count() -> None:
    sine = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    noise = np.random.default_rng(0).standard_normal(RATE)
    near, far = (
        log_spectral_distance(estimate=sine + level * noise, reference=sine, sample_rate=RATE) for level in (1e-1, 1e-4)
    )
    assert near > 5
    assert far < 0.02


def test_one_frame_is_the_formula() -> None:
    rng = np.random.default_rng(0)
    reference, estimate = rng.standard_normal(512), rng.standard_normal(512)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    spectra = [
        np.abs(np.exp(-2j * np.pi * np.outer(np.arange(257), np.arange(512)) / 512) @ (window * x))
        for x in (reference, estimate)
    ]
    assert min(each.min() for each in spectra) > spectra[0].max() * 10 ** (-50 / 20)
    by_hand = np.sqrt(np.mean((20 * np.log10(spectra[0] / spectra[1])) ** 2))
    value = log_spectral_distance(estimate=estimate, reference=reference, sample_rate=RATE)
    assert value == pytest.approx(by_hand)


def test_more_noise_is_worse_and_both_levels_together_do_not_matter(voice: Voice) -> None:
    x = voice(3, RATE)
    noise = np.random.default_rng(0).standard_normal(x.size)
    scores = [
        log_spectral_distance(estimate=gain * (x + level * noise), reference=gain * x, sample_rate=RATE)
        for gain in (1.0, 0.1)
        for level in (1e-3, 1e-2, 1e-1)
    ]
    assert 0 < scores[0] < scores[1] < scores[2]
    assert scores[3:] == pytest.approx(scores[:3])


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_every_rate_is_scored(rate: int) -> None:
    x = np.random.default_rng(0).standard_normal(rate)
    assert log_spectral_distance(estimate=2 * x, reference=x, sample_rate=rate) == pytest.approx(6.02, abs=0.02)


def test_too_short_silent_and_not_finite_are_undefined_and_another_length_is_a_config_error() -> None:
    x = np.random.default_rng(0).standard_normal(RATE)
    with pytest.raises(MetricUndefinedError, match="32 ms"):
        log_spectral_distance(estimate=x[:511], reference=x[:511], sample_rate=RATE)
    with pytest.raises(MetricUndefinedError, match="32 ms"):
        log_spectral_distance(estimate=x, reference=x, sample_rate=20)
    for bad in (0 * x, np.full(RATE, np.nan)):
        with pytest.raises(MetricUndefinedError):
            log_spectral_distance(estimate=bad, reference=x, sample_rate=RATE)
    with pytest.raises(ConfigError, match="as long as"):
        log_spectral_distance(estimate=x[1:], reference=x, sample_rate=RATE)
