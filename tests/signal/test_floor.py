"""The distance between speech and the noise floor of its recording, on signals whose floor is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.errors import AudioError
from cmkt.signal.floor import speech_to_floor_db

RATE = 16_000


def bursts(*, rate: int = RATE, noise_db: float | None = None, seed: int = 0) -> NDArray[np.float64]:
    """Words of 1 s at -26 dBFS with pauses of 0.5 s, over white noise at `noise_db` dBFS, 12 s."""
    rng = np.random.default_rng(seed)
    gate = np.tile(np.repeat([1.0, 1.0, 0.0], rate // 2), 8)
    speech = 10 ** (-26 / 20) * gate * rng.standard_normal(gate.size)
    return speech if noise_db is None else speech + 10 ** (noise_db / 20) * rng.standard_normal(gate.size)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("noise_db", [-46.0, -66.0, -80.0])
def test_noise_at_a_known_level_is_found_in_the_pauses(rate: int, noise_db: float) -> None:
    assert speech_to_floor_db(bursts(rate=rate, noise_db=noise_db), rate) == pytest.approx(-26 - noise_db, abs=1.5)


@pytest.mark.parametrize("rate", [8_000, 48_000])
def test_noise_alone_stands_hardly_above_itself(rate: int) -> None:
    noise = 0.1 * np.random.default_rng(3).standard_normal(4 * rate)
    assert 0 < speech_to_floor_db(noise, rate) < 1


@pytest.mark.parametrize("gain_db", [-20.0, 6.0, 20.0])
def test_a_gain_changes_nothing(gain_db: float) -> None:
    x = bursts(noise_db=-60.0)
    assert speech_to_floor_db(x * 10 ** (gain_db / 20), RATE) == pytest.approx(speech_to_floor_db(x, RATE), abs=1e-6)


def test_digital_silence_counts_as_90_decibels_under_full_scale() -> None:
    assert speech_to_floor_db(bursts(), RATE) == pytest.approx(-26 + 90, abs=1.5)


def test_float32_and_float64_agree() -> None:
    x = bursts(noise_db=-70.0)
    assert speech_to_floor_db(x.astype(np.float32), RATE) == pytest.approx(speech_to_floor_db(x, RATE), abs=1e-3)


@pytest.mark.parametrize("samples", [1, 160, 321])
def test_audio_of_a_frame_or_less_has_a_value(samples: int) -> None:
    assert np.isfinite(speech_to_floor_db(np.full(samples, 0.5), RATE))


@pytest.mark.parametrize(
    ("x", "word"),
    [
        (np.zeros(RATE), "silent"),
        (np.zeros(0), "empty"),
        (np.ones((2, RATE)), "channel"),
        (np.array([0.1, np.nan]), "finite"),
        (np.ones(RATE, dtype=np.int16), "float"),
    ],
)
def test_what_is_no_recording_of_speech_is_an_error(x: NDArray[np.floating], word: str) -> None:
    with pytest.raises(AudioError, match=word):
        speech_to_floor_db(x, RATE)
