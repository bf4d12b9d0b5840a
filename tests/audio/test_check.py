from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cmkt.audio.check import check_array, check_rate
from cmkt.errors import AudioError


@pytest.mark.parametrize("shape", [(1,), (16_000,), (1, 16_000), (2, 16_000), (6, 16_000), (64, 1_000), (2, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_audio_passes_without_a_copy(shape: tuple[int, ...], dtype: type[np.floating]) -> None:
    audio = np.zeros(shape, dtype=dtype)
    assert check_array(audio, sample_rate=16_000) is audio


def test_half_precision_becomes_single() -> None:
    assert check_array(np.zeros(5, dtype=np.float16), sample_rate=16_000).dtype == np.float32


@pytest.mark.parametrize(
    ("audio", "reason"),
    [
        (np.array([0.0, np.nan, np.inf]), "2 of its 3 samples"),
        (np.array([[0.0, -np.inf]]), "finite"),
        (np.zeros(0), "hold samples"),
        (np.zeros((2, 0)), "hold samples"),
        (np.zeros((0, 100)), "hold samples"),
        (np.float64(0.5), r"shape \(\)"),
        (np.zeros((1, 1, 100)), r"shape \(1, 1, 100\)"),
        (np.zeros((16_000, 2)), r"looks like \(time, channels\)"),
        (np.zeros((16_000, 1)), r"audio\.T"),
        (np.zeros((33, 32)), r"looks like \(time, channels\)"),
        (np.zeros(100, dtype=np.int16), "32768 for int16"),
        (np.zeros(100, dtype=np.complex64), "complex64"),
        (np.zeros(100, dtype=bool), "bool"),
    ],
)
def test_anything_else_is_an_error_with_the_reason(audio: Any, reason: str) -> None:
    with pytest.raises(AudioError, match=reason):
        check_array(audio, sample_rate=16_000)


@pytest.mark.parametrize("rate", [4_000, 8_000, 44_100, 384_000, np.int64(16_000)])
def test_real_rates_pass_as_ints(rate: Any) -> None:
    assert type(check_rate(rate)) is int


@pytest.mark.parametrize("rate", [0, -16_000, 3_999, 384_001, 16_000.0, "16000", None, True, np.float32(16_000)])
def test_other_rates_are_errors(rate: Any) -> None:
    with pytest.raises(AudioError, match="sample_rate"):
        check_array(np.zeros(10), sample_rate=rate)
