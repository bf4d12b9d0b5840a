from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.errors import AudioError
from cmkt.signal.level import active_level_db, is_silent, rms_db

RATE = 16_000


def sine(seconds: float, hz: float = 200.0, rate: int = RATE) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)


def test_rms_of_a_square_wave_is_0_and_of_a_sine_3_decibels_less() -> None:
    assert rms_db(np.tile([1.0, -1.0], 500)) == pytest.approx(0.0, abs=1e-12)
    assert rms_db(sine(1)) == pytest.approx(-3.0103, abs=1e-4)
    assert rms_db(0.1 * sine(1)) == pytest.approx(-23.0103, abs=1e-4)


def test_active_level_of_a_steady_sine_is_its_rms() -> None:
    assert active_level_db(sine(8), RATE) == pytest.approx(-3.01, abs=0.05)


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000, 44_100])
def test_half_silence_lowers_the_rms_by_3_decibels_but_hardly_the_active_level(rate: int) -> None:
    half = np.concatenate([sine(8, rate=rate), np.zeros(8 * rate)])
    assert rms_db(half) == pytest.approx(-6.02, abs=0.01)
    assert active_level_db(half, rate) == pytest.approx(-3.01, abs=0.5)


def test_silence_between_bursts_does_not_count_either() -> None:
    bursts = np.tile(np.concatenate([sine(4), np.zeros(4 * RATE)]), 4)
    assert active_level_db(bursts, RATE) == pytest.approx(-3.01, abs=0.5)


def test_pauses_shorter_than_the_hangover_count_as_speech() -> None:
    chopped = np.tile(np.concatenate([sine(0.1), np.zeros(RATE // 10)]), 40)
    assert active_level_db(chopped, RATE) == pytest.approx(rms_db(chopped), abs=0.1)


def test_a_faint_noise_floor_in_the_pauses_does_not_count() -> None:
    rng = np.random.default_rng(0)
    half = np.concatenate([sine(8), np.zeros(8 * RATE)])
    assert active_level_db(half + 1e-3 * rng.standard_normal(half.size), RATE) == pytest.approx(-3.01, abs=0.5)


@pytest.mark.parametrize("gain_db", [-60.0, -7.3, 12.0])
def test_a_gain_moves_the_active_level_by_exactly_that_gain(gain_db: float) -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal(3 * RATE) * np.repeat(rng.uniform(0, 1, 30) ** 2, RATE // 10)
    moved = active_level_db(x * 10 ** (gain_db / 20), RATE) - active_level_db(x, RATE)
    assert moved == pytest.approx(gain_db, abs=1e-9)


def test_active_level_is_at_least_the_rms_and_at_most_the_peak() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        x = rng.standard_normal(2 * RATE) * np.repeat(rng.uniform(0, 1, 20) ** 3, RATE // 10)
        assert rms_db(x) <= active_level_db(x, RATE) + 1e-9 <= 20 * np.log10(np.abs(x).max())


@pytest.mark.parametrize("samples", [1, 2, 15, 160])
def test_very_short_signals_have_a_finite_level(samples: int) -> None:
    assert np.isfinite(active_level_db(np.full(samples, 0.5), RATE))


def test_a_click_in_a_minute_of_nothing_has_a_level() -> None:
    x = np.zeros(60 * RATE, dtype=np.float32)
    x[5 * RATE] = 1.0
    assert rms_db(x) < active_level_db(x, RATE) < 0


@pytest.mark.parametrize("x", [np.zeros(RATE), np.full(RATE, 1e-7)])
def test_silence_has_no_level(x: NDArray[np.float64]) -> None:
    assert is_silent(x)
    with pytest.raises(AudioError, match="silent"):
        rms_db(x)
    with pytest.raises(AudioError, match="silent"):
        active_level_db(x, RATE)


def test_one_step_of_16_bits_is_not_silent_and_an_empty_signal_is() -> None:
    assert not is_silent(np.tile([1 / 32768, 0.0], 100))
    assert is_silent(np.zeros(0))


def test_not_finite_audio_is_an_error() -> None:
    with pytest.raises(AudioError, match="finite"):
        active_level_db(np.array([0.1, np.nan]), RATE)
