from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cmkt.errors import AudioError
from cmkt.signal.level import active_level_db, rms_db
from cmkt.signal.mixing import mix

RATE = 16_000


def bursts(seed: int, seconds: int = 2) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    gains = np.repeat(rng.uniform(0, 1, seconds * 5) ** 2, RATE // 5)
    return (0.1 * gains * rng.standard_normal(gains.size)).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(snr_db=st.floats(-30, 40), seed=st.integers(0, 1000), noise_gain=st.floats(1e-4, 10))
def test_the_measured_ratio_is_the_one_asked_for(snr_db: float, seed: int, noise_gain: float) -> None:
    speech, noise = bursts(seed), (noise_gain * bursts(seed + 1)).astype(np.float32)
    mixture, scaled = mix(speech, noise, snr_db=snr_db, sample_rate=RATE)
    assert active_level_db(speech, RATE) - rms_db(scaled) == pytest.approx(snr_db, abs=1e-4)
    np.testing.assert_allclose(mixture, speech + scaled, atol=1e-6)


def test_zero_decibels_with_a_steady_sine_gives_noise_of_the_rms_of_the_sine() -> None:
    speech = np.sin(2 * np.pi * 200 * np.arange(8 * RATE) / RATE)
    noise = np.tile([1.0, -1.0], 4 * RATE)
    _, scaled = mix(speech, noise, snr_db=0.0, sample_rate=RATE)
    assert np.abs(scaled).max() == pytest.approx(np.sqrt(0.5), rel=0.005)


def test_silence_around_the_speech_hardly_changes_the_noise() -> None:
    rng = np.random.default_rng(3)
    speech = np.sin(2 * np.pi * 200 * np.arange(8 * RATE) / RATE)
    padded = np.concatenate([np.zeros(4 * RATE), speech, np.zeros(4 * RATE)])
    noise = rng.standard_normal(padded.size)
    _, tight = mix(speech, noise[: speech.size], snr_db=5.0, sample_rate=RATE)
    _, loose = mix(padded, noise, snr_db=5.0, sample_rate=RATE)
    assert rms_db(loose) == pytest.approx(rms_db(tight), abs=0.3)


def test_speech_and_inputs_are_left_alone_and_the_dtype_is_that_of_the_speech() -> None:
    speech, noise = bursts(0), bursts(1)
    before = speech.copy(), noise.copy()
    mixture, scaled = mix(speech, noise, snr_db=-5.0, sample_rate=RATE)
    np.testing.assert_array_equal(speech, before[0])
    np.testing.assert_array_equal(noise, before[1])
    assert mixture.dtype == scaled.dtype == np.float32


def test_the_mixture_may_exceed_full_scale() -> None:
    mixture, _ = mix(bursts(0) * 8, bursts(1), snr_db=-30.0, sample_rate=RATE)
    assert np.abs(mixture).max() > 1


@pytest.mark.parametrize("silent", ["speech", "noise"])
def test_silence_on_either_side_is_an_error(silent: str) -> None:
    signals = {"speech": bursts(0), "noise": bursts(1)} | {silent: np.zeros(2 * RATE, dtype=np.float32)}
    with pytest.raises(AudioError, match="silent"):
        mix(signals["speech"], signals["noise"], snr_db=0.0, sample_rate=RATE)


def test_noise_of_another_length_is_an_error_that_names_what_places_it() -> None:
    with pytest.raises(AudioError, match="place_noise"):
        mix(bursts(0), bursts(1)[:-1], snr_db=0.0, sample_rate=RATE)
