from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cmkt.errors import AudioError
from cmkt.signal.resample import StreamResampler, resample, resampled_length, withheld_seconds

PAIRS = [(48_000, 16_000), (44_100, 16_000), (16_000, 44_100), (8_000, 16_000), (96_000, 16_000), (16_000, 48_000)]


@pytest.mark.parametrize(
    ("samples", "from_rate", "to_rate", "expected"),
    [
        (44_101, 48_000, 16_000, 14_700),
        (14_700, 16_000, 48_000, 44_100),
        (44_101, 44_100, 48_000, 48_001),
        (1, 48_000, 16_000, 0),
        (2, 48_000, 16_000, 1),
        (1, 16_000, 8_000, 1),
        (5, 16_000, 8_000, 3),
        (0, 16_000, 8_000, 0),
        (7, 16_000, 16_000, 7),
    ],
)
def test_length_is_rounded_half_up(samples: int, from_rate: int, to_rate: int, expected: int) -> None:
    assert resampled_length(samples, from_rate, to_rate) == expected
    assert resample(np.ones(samples), from_rate, to_rate).shape == (expected,)


@settings(max_examples=60, deadline=None)
@given(
    samples=st.integers(0, 3000), rates=st.sampled_from([*PAIRS, (11_025, 48_000), (22_050, 16_000), (4_001, 9_973)])
)
def test_length_is_the_formula_for_any_number_of_samples(samples: int, rates: tuple[int, int]) -> None:
    assert resample(np.ones(samples, dtype=np.float32), *rates).size == int(samples * rates[1] / rates[0] + 0.5)


@pytest.mark.parametrize(("from_rate", "to_rate"), PAIRS)
def test_a_sine_stays_the_same_sine_in_time_and_level(from_rate: int, to_rate: int) -> None:
    def sine(rate: int) -> NDArray[np.float64]:
        return np.sin(2 * np.pi * 440 * np.arange(rate) / rate)

    edge = to_rate // 10
    np.testing.assert_allclose(
        resample(sine(from_rate), from_rate, to_rate)[edge:-edge], sine(to_rate)[edge:-edge], atol=1e-4
    )


def test_what_lies_above_half_the_new_rate_is_removed() -> None:
    above = np.sin(2 * np.pi * 10_000 * np.arange(48_000) / 48_000)
    assert np.abs(resample(above, 48_000, 16_000)[1000:-1000]).max() < 1e-4


def test_equal_rates_give_the_same_array() -> None:
    x = np.ones(10)
    assert resample(x, 16_000, 16_000) is x


@pytest.mark.parametrize("shape", [(300,), (2, 300), (3, 2, 300), (6, 300)])
def test_leading_axes_are_kept_and_each_channel_is_resampled_alone(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).standard_normal(shape)
    y = resample(x, 48_000, 16_000)
    assert y.shape == (*shape[:-1], 100)
    for index in np.ndindex(shape[:-1]):
        np.testing.assert_allclose(y[index], resample(x[index], 48_000, 16_000), atol=1e-12)


@pytest.mark.parametrize(("dtype", "expected"), [("f2", "f4"), ("f4", "f4"), ("f8", "f8")])
def test_dtype_is_kept(dtype: str, expected: str) -> None:
    assert resample(np.ones(300, dtype=dtype), 48_000, 16_000).dtype == np.dtype(expected)


def test_integers_and_rates_that_are_not_positive_are_errors() -> None:
    with pytest.raises(AudioError, match="int16"):
        resample(np.ones(10, dtype=np.int16), 48_000, 16_000)
    with pytest.raises(AudioError, match="to_rate"):
        resample(np.ones(10), 48_000, 0)
    with pytest.raises(AudioError, match="from_rate"):
        StreamResampler(-1, 16_000, 1)


@settings(max_examples=40, deadline=None)
@given(
    rates=st.sampled_from([*PAIRS, (16_000, 16_000), (11_025, 16_000)]),
    channels=st.integers(1, 3),
    sizes=st.lists(st.integers(0, 4000), max_size=8),
    seed=st.integers(0, 1000),
)
def test_a_stream_in_any_chunks_equals_the_whole(
    rates: tuple[int, int], channels: int, sizes: list[int], seed: int
) -> None:
    x = np.random.default_rng(seed).standard_normal((channels, sum(sizes))).astype(np.float32)
    stream = StreamResampler(*rates, channels)
    parts = [stream.feed(chunk) for chunk in np.split(x, np.cumsum(sizes)[:-1], axis=1)] if sizes else []
    parts.append(stream.flush())
    assert all(part.dtype == np.float32 for part in parts)
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), resample(x, *rates))


@pytest.mark.parametrize(("from_rate", "to_rate"), PAIRS)
def test_a_long_stream_equals_the_whole(from_rate: int, to_rate: int) -> None:
    x = np.random.default_rng(0).standard_normal((2, 10 * from_rate + 101)).astype(np.float32)
    stream = StreamResampler(from_rate, to_rate, 2)
    parts = [stream.feed(x[:, start : start + 1009]) for start in range(0, x.shape[1], 1009)]
    np.testing.assert_array_equal(np.concatenate([*parts, stream.flush()], axis=1), resample(x, from_rate, to_rate))


@pytest.mark.parametrize(("from_rate", "to_rate"), [*PAIRS, (11_025, 16_000), (44_056, 16_000)])
def test_a_stream_withholds_no_more_time_than_it_says(from_rate: int, to_rate: int) -> None:
    stream = StreamResampler(from_rate, to_rate, 1)
    ready = 0
    for fed in range(7, 3_000, 7):
        ready += stream.feed(np.zeros((1, 7))).shape[1]
        assert fed / from_rate - ready / to_rate <= withheld_seconds(from_rate, to_rate) + 1e-9
    assert withheld_seconds(48_000, 16_000) == withheld_seconds(16_000, 48_000) == 0.003
    assert withheld_seconds(16_000, 16_000) == 0.0


@pytest.mark.parametrize(("from_rate", "to_rate"), [*PAIRS, (16_000, 11_025), (44_056, 16_000)])
def test_the_pass_band_is_flat_and_nothing_folds_back(from_rate: int, to_rate: int) -> None:
    def level_db(frequency: float) -> float:
        y = resample(np.sin(2 * np.pi * frequency * np.arange(from_rate) / from_rate), from_rate, to_rate)
        return float(10 * np.log10(2 * np.mean(y[to_rate // 10 : -to_rate // 10] ** 2)))

    lower = min(from_rate, to_rate) / 2
    assert all(abs(level_db(share * lower)) < 0.1 for share in (0.1, 0.5, 0.9))
    if to_rate < from_rate:
        assert level_db(1.003 * lower) < -80


def test_after_flush_or_reset_the_next_signal_starts_anew() -> None:
    x = np.random.default_rng(0).standard_normal((1, 5000)).astype(np.float32)
    stream = StreamResampler(48_000, 16_000, 1)
    first = np.concatenate([stream.feed(x), stream.flush()], axis=1)
    stream.feed(x[:, :777])
    stream.reset()
    second = np.concatenate([stream.feed(x), stream.flush()], axis=1)
    np.testing.assert_array_equal(first, second)
    assert stream.flush().shape == (1, 0)


def test_a_chunk_with_other_channels_is_an_error() -> None:
    stream = StreamResampler(48_000, 16_000, 2)
    for wrong in (np.zeros((1, 10)), np.zeros(10), np.zeros((10, 2))):
        with pytest.raises(AudioError, match=r"\(2, n\)"):
            stream.feed(wrong)
    with pytest.raises(AudioError, match="channels"):
        StreamResampler(48_000, 16_000, 0)
