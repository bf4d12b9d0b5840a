from __future__ import annotations

import base64
import io

import numpy as np
import soundfile

from cmkt.evaluation.report.sound import BYTES_PER_SAMPLE, Audio, audio_uri

RATE = 16_000


def decoded(uri: str) -> tuple[np.ndarray, int]:
    head, _, data = uri.partition(",")
    assert head == "data:audio/flac;base64"
    return soundfile.read(io.BytesIO(base64.b64decode(data)))  # type: ignore[no-any-return]


def test_audio_comes_back_to_the_last_of_16_bits() -> None:
    audio = 0.3 * np.random.default_rng(0).standard_normal(4001).clip(-3, 3)
    samples, rate = decoded(audio_uri(Audio(audio, 8000)))
    assert rate == 8000
    assert np.abs(samples - audio).max() <= 1 / 32768


def test_what_is_too_loud_is_clipped_and_does_not_wrap() -> None:
    samples, _ = decoded(audio_uri(Audio(np.array([2.0, -2.0, 1.0, 0.0]), RATE)))
    assert np.allclose(samples, [1.0, -1.0, 1.0, 0.0], atol=1e-4)


def test_full_scale_noise_takes_no_more_bytes_than_are_planned() -> None:
    audio = np.random.default_rng(0).uniform(-1, 1, 10 * RATE)
    assert len(audio_uri(Audio(audio, RATE))) <= BYTES_PER_SAMPLE * audio.size


def test_the_beginning_of_audio_is_never_empty() -> None:
    audio = Audio(np.arange(10.0), 10)
    assert audio.seconds == 1.0
    assert audio.first(0.3).samples.tolist() == [0.0, 1.0, 2.0]
    assert len(audio.first(0.0).samples) == 1
    assert len(audio.first(9.0).samples) == 10
