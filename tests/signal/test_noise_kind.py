"""Kinds of noise, on sounds whose kind is plain, and on what a gain or another rate must not change."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.errors import AudioError
from cmkt.signal.noise_kind import noise_kind
from cmkt.signal.synthesis import coloured, hum

RATE = 16_000


def white(seconds: float, *, rate: int = RATE, seed: int = 0) -> NDArray[np.float64]:
    return 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * rate))


def swelling(depth_db: float) -> NDArray[np.float64]:
    """White noise, 8 s, whose level goes up and down by `depth_db` over 2 s, as a sine."""
    noise = white(8.0)
    return noise * 10 ** (0.5 * depth_db * np.sin(np.pi * np.arange(noise.size) / RATE) / 20)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("exponent", [-1.0, 0.0, 1.0])
def test_gaussian_noise_is_stationary_whatever_its_colour_and_rate(exponent: float, rate: int) -> None:
    assert noise_kind(coloured(4 * rate, exponent, np.random.default_rng(0)), rate) == "stationary"


def test_hum_is_stationary() -> None:
    assert noise_kind(hum(4 * RATE, RATE, np.random.default_rng(0)), RATE) == "stationary"


def test_knocks_now_and_then_are_impulsive_over_a_quiet_room_and_over_silence() -> None:
    for floor in (0.001, 0.0):
        noise = floor * white(8.0)
        for start in range(0, noise.size, 2 * RATE):
            noise[start : start + RATE // 10] += white(0.1, seed=1)
        assert noise_kind(noise, RATE) == "impulsive"


@pytest.mark.parametrize(("depth_db", "kind"), [(5.0, "stationary"), (8.0, "environmental"), (14.0, "environmental")])
def test_noise_that_swells_is_environmental(depth_db: float, kind: str) -> None:
    # Of a sine the 10th and 90th percentile lie 0.95 of its height apart.
    assert noise_kind(swelling(depth_db), RATE) == kind


@pytest.mark.parametrize("gain", [1e-3, 1.0, 9.0])
def test_a_gain_changes_nothing(gain: float) -> None:
    assert noise_kind(gain * swelling(8.0), RATE) == "environmental"


def test_noise_with_a_pause_of_digital_silence_is_not_stationary() -> None:
    assert noise_kind(np.concatenate([white(2.0), np.zeros(RATE)]), RATE) == "environmental"


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        (np.zeros(RATE), "silent or shorter"),
        (white(0.49), "silent or shorter"),
        (white(1.0).reshape(2, -1), "one channel"),
        (np.full(RATE, np.nan), "finite"),
    ],
)
def test_what_has_no_kind_is_refused(noise: NDArray[np.float64], message: str) -> None:
    with pytest.raises(AudioError, match=message):
        noise_kind(noise, RATE)
