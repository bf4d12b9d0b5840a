from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.errors import AudioError
from cmkt.signal.reverb import direct_path_delay, reverberate

RATE = 16_000


def room(delay: int, gain: float = 0.5, seconds: float = 0.3) -> NDArray[np.float64]:
    """Direct path at `delay`, and an exponential tail that starts 3 ms later."""
    rng = np.random.default_rng(0)
    rir = np.zeros(delay + int(seconds * RATE))
    tail = rng.standard_normal(rir.size - delay - 48) * np.exp(-np.arange(rir.size - delay - 48) / (0.05 * RATE))
    rir[delay + 48 :] = 0.1 * tail
    rir[delay] = 1.0
    return gain * rir


def speech(seconds: float = 1.0) -> NDArray[np.float64]:
    return np.random.default_rng(1).standard_normal(int(seconds * RATE)) * 0.1


@pytest.mark.parametrize("delay", [0, 1, 37, 1600])
def test_the_direct_path_is_found(delay: int) -> None:
    assert direct_path_delay(room(delay), RATE) == delay


def test_a_later_and_larger_reflection_is_not_the_direct_path() -> None:
    rir = np.zeros(4000)
    rir[100], rir[900] = 0.7, -1.0
    assert direct_path_delay(rir, RATE) == 100


def test_the_direct_path_of_a_smooth_onset_is_its_peak() -> None:
    rir = np.zeros(2000)
    rir[500:516] = np.hanning(16)
    assert direct_path_delay(rir, RATE) == int(rir.argmax())


def test_noise_before_the_direct_path_is_passed_over() -> None:
    noise = 0.05 * np.random.default_rng(2).standard_normal(4000)
    noise[1000:] += room(0)[:3000] * 2
    assert direct_path_delay(noise, RATE) == 1000


@pytest.mark.parametrize("delay", [0, 13, 1600])
@pytest.mark.parametrize("gain", [0.01, 1.0, -0.5])
def test_a_room_of_one_path_changes_nothing(delay: int, gain: float) -> None:
    rir = np.zeros(delay + 5)
    rir[delay] = gain
    reverberant, target = reverberate(speech(), rir, sample_rate=RATE)
    np.testing.assert_allclose(reverberant, speech(), atol=1e-12)
    np.testing.assert_allclose(target, speech(), atol=1e-12)


def test_a_hand_made_room() -> None:
    x = np.array([1.0, 2.0, 0.0, 0.0, 0.0, 0.0])
    rir = np.array([0.0, 0.0, 0.5, 0.25, 0.0, -0.1])
    reverberant, target = reverberate(x, rir, sample_rate=1000, early_seconds=0.001)
    np.testing.assert_allclose(reverberant, [1.0, 2.5, 1.0, -0.2, -0.4, 0.0], atol=1e-12)
    np.testing.assert_allclose(target, [1.0, 2.5, 1.0, 0.0, 0.0, 0.0], atol=1e-12)


@pytest.mark.parametrize("early_seconds", [0.0, 0.02, 0.05])
def test_both_are_in_time_with_the_speech(early_seconds: float) -> None:
    x = speech()
    for signal in reverberate(x, room(777), sample_rate=RATE, early_seconds=early_seconds):
        assert signal.shape == x.shape
        lags = np.correlate(signal, x[4000:-4000], mode="valid")
        assert int(lags.argmax()) == 4000


def test_without_early_reflections_the_target_is_the_dry_speech() -> None:
    reverberant, target = reverberate(speech(), room(50), sample_rate=RATE, early_seconds=0)
    np.testing.assert_array_equal(target, speech())
    assert not np.allclose(reverberant, speech(), atol=1e-3)


def test_the_target_has_the_early_reflections_and_not_the_late_ones() -> None:
    impulse = np.zeros(RATE)
    impulse[0] = 1.0
    reverberant, target = reverberate(impulse, room(200), sample_rate=RATE, early_seconds=0.05)
    early = int(0.05 * RATE)
    np.testing.assert_allclose(target[: early + 1], reverberant[: early + 1], atol=1e-12)
    np.testing.assert_allclose(target[early + 1 :], 0, atol=1e-12)
    assert np.abs(reverberant[early + 1 :]).max() > 0.01
    assert reverberant[0] == pytest.approx(1.0)


def test_float32_stays_float32_and_agrees_with_direct_convolution() -> None:
    x, rir = speech().astype(np.float32), room(100).astype(np.float32)
    reverberant, target = reverberate(x, rir, sample_rate=RATE)
    assert reverberant.dtype == target.dtype == np.float32
    expected = np.convolve(x.astype(np.float64), rir.astype(np.float64) / rir[100])[100 : 100 + x.size]
    np.testing.assert_allclose(reverberant, expected, atol=1e-5)


def test_a_response_longer_than_the_speech_keeps_the_length_of_the_speech() -> None:
    reverberant, target = reverberate(speech(0.05), room(100), sample_rate=RATE)
    assert reverberant.shape == target.shape == (800,)


@pytest.mark.parametrize("rir", [np.zeros(100), np.zeros((2, 100)), np.array([1.0, np.nan]), np.zeros(0)])
def test_a_response_that_cannot_be_used_is_an_error(rir: NDArray[np.float64]) -> None:
    with pytest.raises(AudioError, match="rir"):
        reverberate(speech(), rir, sample_rate=RATE)


def test_a_negative_early_time_is_an_error() -> None:
    with pytest.raises(AudioError, match="early_seconds"):
        reverberate(speech(), room(0), sample_rate=RATE, early_seconds=-0.1)
