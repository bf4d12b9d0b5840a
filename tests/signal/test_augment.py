from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.errors import AudioError
from cmkt.signal.augment import band_limit, change_speed, clip, colour, scale_to
from cmkt.signal.level import active_level_db

RATE = 16_000


def sine(hz: float, seconds: float = 1.0, rate: int = RATE) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)


@pytest.mark.parametrize("level_db", [-35.0, -15.0, 3.0])
def test_scaling_gives_the_active_level(level_db: float) -> None:
    x = np.concatenate([sine(200), np.zeros(RATE)]).astype(np.float32)
    scaled = scale_to(x, level_db, RATE)
    assert active_level_db(scaled, RATE) == pytest.approx(level_db, abs=1e-4)
    assert scaled.dtype == np.float32


def test_silence_cannot_be_scaled() -> None:
    with pytest.raises(AudioError, match="silent"):
        scale_to(np.zeros(100), -20.0, RATE)


@pytest.mark.parametrize("cutoff_hz", [1000.0, 3400.0, 7000.0])
def test_band_limit_passes_what_is_below_without_delay_and_removes_what_is_above(cutoff_hz: float) -> None:
    middle = slice(2000, -2000)
    below = sine(0.9 * cutoff_hz)
    np.testing.assert_allclose(band_limit(below, cutoff_hz, RATE)[middle], below[middle], atol=0.01)
    above = band_limit(sine(min(1.1 * cutoff_hz, 7_900)), cutoff_hz, RATE)
    assert np.abs(above[middle]).max() < 0.002
    half = band_limit(sine(cutoff_hz), cutoff_hz, RATE)
    assert np.sqrt(2 * np.mean(half[middle] ** 2)) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("samples", [1, 10, 16_000])
def test_band_limit_keeps_length_and_dtype(samples: int) -> None:
    limited = band_limit(np.ones(samples, dtype=np.float32), 500.0, RATE)
    assert limited.shape == (samples,)
    assert limited.dtype == np.float32


def test_band_limit_close_to_half_the_rate_is_finite() -> None:
    assert np.isfinite(band_limit(sine(100), 7_900.0, RATE)).all()


@pytest.mark.parametrize("cutoff_hz", [0.0, -1.0, 8_000.0, 20_000.0])
def test_a_cutoff_outside_the_band_is_an_error(cutoff_hz: float) -> None:
    with pytest.raises(AudioError, match="between 0 and 8000"):
        band_limit(sine(100), cutoff_hz, RATE)


def test_clip_cuts_at_a_fraction_of_the_peak() -> None:
    np.testing.assert_allclose(clip(np.array([0.1, -0.8, 0.4, 0.2]), 0.5), [0.1, -0.4, 0.4, 0.2])


def test_clip_at_1_and_clip_of_silence_change_nothing() -> None:
    np.testing.assert_array_equal(clip(sine(100), 1.0), sine(100))
    np.testing.assert_array_equal(clip(np.zeros(5), 0.5), np.zeros(5))
    assert clip(np.zeros(0), 0.5).size == 0


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.1])
def test_a_clip_fraction_outside_0_to_1_is_an_error(fraction: float) -> None:
    with pytest.raises(AudioError, match="threshold_fraction"):
        clip(sine(100), fraction)


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.5])
def test_speed_moves_pitch_and_length(factor: float) -> None:
    faster = change_speed(sine(500), factor)
    assert faster.size == round(RATE / factor)
    spectrum = np.abs(np.fft.rfft(faster * np.hanning(faster.size)))
    assert np.fft.rfftfreq(faster.size, 1 / RATE)[spectrum.argmax()] == pytest.approx(500 * factor, abs=3)


def test_speed_of_one_changes_nothing_and_zero_is_refused() -> None:
    x = sine(500)
    assert change_speed(x, 1.0) is x
    with pytest.raises(AudioError, match="factor"):
        change_speed(x, 0.0)


def test_colour_is_the_filter_it_names() -> None:
    impulse = np.zeros(16)
    impulse[0] = 1.0
    a, b, c, d = 0.3, -0.2, -0.25, 0.1
    expected = [1.0, a - c, b - d - c * (a - c)]
    np.testing.assert_allclose(colour(impulse, (a, b, c, d))[:3], expected)
    with pytest.raises(AudioError, match="stable"):
        colour(impulse, (0.0, 0.0, 0.0, 1.5))
