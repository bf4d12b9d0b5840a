from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.errors import AudioError
from cmkt.signal.synthesis import babble, clicks, coloured, hum, modulated

RATE = 16_000
Noise = Callable[[int, np.random.Generator], NDArray[np.float32]]

NOISES: dict[str, Noise] = {
    "white": lambda n, rng: coloured(n, 0.0, rng),
    "brown": lambda n, rng: coloured(n, 2.0, rng),
    "hum": lambda n, rng: hum(n, RATE, rng),
    "clicks": lambda n, rng: clicks(n, RATE, rng),
    "modulated": lambda n, rng: modulated(n, RATE, rng),
    "babble": lambda n, rng: babble([rng.standard_normal(500), rng.standard_normal(90_000)], n, rng),
}


def band_power(x: NDArray[np.float32], low: float, high: float) -> float:
    power = np.abs(np.fft.rfft(x.astype(np.float64))) ** 2
    frequency = np.fft.rfftfreq(x.size, 1 / RATE)
    return float(power[(frequency >= low) & (frequency < high)].sum())


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("n", [100, 5 * RATE + 1])
def test_every_noise_has_the_length_and_level_it_promises(name: str, n: int) -> None:
    for seed in range(5):
        x = NOISES[name](n, np.random.default_rng(seed))
        assert x.shape == (n,)
        assert x.dtype == np.float32
        rms, peak = float(np.sqrt(np.mean(x.astype(np.float64) ** 2))), float(np.abs(x).max())
        assert peak <= 0.9901
        assert rms == pytest.approx(0.1, rel=1e-3) or (rms < 0.1 and peak == pytest.approx(0.99, rel=1e-3))


@pytest.mark.parametrize("name", NOISES)
def test_every_noise_is_a_function_of_its_generator(name: str) -> None:
    first, again, other = (NOISES[name](RATE, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", NOISES)
def test_no_samples_are_an_error(name: str) -> None:
    with pytest.raises(AudioError, match="`n`"):
        NOISES[name](0, np.random.default_rng(0))


@pytest.mark.parametrize(("exponent", "decibels"), [(-1.0, 6.0), (0.0, 3.0), (1.0, 0.0), (2.0, -3.0)])
def test_power_per_octave_changes_as_the_exponent_says(exponent: float, decibels: float) -> None:
    x = coloured(30 * RATE, exponent, np.random.default_rng(0))
    step = 10 * np.log10(band_power(x, 2000, 4000) / band_power(x, 1000, 2000))
    assert step == pytest.approx(decibels, abs=0.2)


def test_hum_is_made_of_harmonics_of_the_mains() -> None:
    x = hum(10 * RATE, RATE, np.random.default_rng(0))
    assert band_power(x, 45, 800) > 0.9 * band_power(x, 0, 8000)


def test_clicks_are_mostly_quiet() -> None:
    x = clicks(10 * RATE, RATE, np.random.default_rng(0))
    assert np.median(np.abs(x)) < 0.01 * np.abs(x).max()


def test_modulated_noise_swells_more_than_steady_noise() -> None:
    def spread(x: NDArray[np.float32]) -> float:
        frames = x[: x.size // 400 * 400].reshape(-1, 400).astype(np.float64)
        return float(np.std(10 * np.log10(np.mean(frames**2, axis=1))))

    assert spread(modulated(10 * RATE, RATE, np.random.default_rng(0))) > 3 * spread(
        coloured(10 * RATE, 0.0, np.random.default_rng(0))
    )


def test_every_voice_of_a_babble_has_the_same_power() -> None:
    time = np.arange(RATE) / RATE
    voices = [0.9 * np.sin(2 * np.pi * 300 * time), 0.001 * np.sin(2 * np.pi * 1100 * time)]
    x = babble(voices, 4 * RATE, np.random.default_rng(0))
    assert band_power(x, 250, 350) == pytest.approx(band_power(x, 1050, 1150), rel=0.01)


def test_babble_of_no_voice_or_of_a_silent_one_is_an_error() -> None:
    with pytest.raises(AudioError, match="at least one"):
        babble([], 100, np.random.default_rng(0))
    with pytest.raises(AudioError, match="silent"):
        babble([np.ones(100), np.zeros(100)], 100, np.random.default_rng(0))
