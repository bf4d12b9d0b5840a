from __future__ import annotations

import numpy as np
import pytest

from cmkt.errors import AudioError
from cmkt.text.audible import audible


def test_audio_comes_at_the_rate_that_is_asked_for() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(24_000) / 48_000)
    heard = audible(tone, sample_rate=48_000, at=16_000)
    assert heard is not None
    assert heard.shape == (8_000,)
    assert heard.dtype == np.float32
    assert np.argmax(np.abs(np.fft.rfft(heard))) == 220


def test_audio_at_that_rate_is_left_as_it_is() -> None:
    audio = np.random.default_rng(0).standard_normal(4_000).astype(np.float32)
    np.testing.assert_array_equal(audible(audio, sample_rate=16_000, at=16_000), audio)


@pytest.mark.parametrize("audio", [np.zeros(16_000), np.zeros(0), np.ones(1_599)])
def test_there_are_no_words_in_digital_silence_or_less_than_a_tenth_of_a_second(audio: np.ndarray) -> None:
    assert audible(audio, sample_rate=16_000, at=16_000) is None


@pytest.mark.parametrize("audio", [np.ones((2, 16_000)), np.full(16_000, np.nan), np.ones(16_000, dtype=np.int16)])
def test_what_is_no_audio_is_refused(audio: np.ndarray) -> None:
    with pytest.raises(AudioError, match="`audio` must"):
        audible(audio, sample_rate=16_000, at=16_000)
