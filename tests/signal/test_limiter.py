from __future__ import annotations

import numpy as np
import pytest

from cmkt.signal.limiter import guard_peaks


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_up_to_the_knee_it_is_the_identity(dtype: type[np.floating]) -> None:
    x = np.linspace(-0.99, 0.99, 1001).astype(dtype)
    np.testing.assert_array_equal(guard_peaks(x), x)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_nothing_reaches_full_scale(dtype: type[np.floating]) -> None:
    guarded = guard_peaks(np.array([1.0, -1.0, 1.5, -40.0, 6e4], dtype=dtype))
    assert (np.abs(guarded) < 1).all()
    np.testing.assert_array_equal(np.sign(guarded), [1, -1, 1, -1, 1])


def test_it_rises_everywhere_and_its_slope_has_no_jump() -> None:
    x = np.linspace(0.9, 1.05, 15_001)
    slope = np.diff(guard_peaks(x)) / np.diff(x)
    assert (slope > 0).all()
    assert slope.max() < 1 + 1e-6
    assert np.abs(np.diff(slope)).max() < 0.002


def test_each_sample_stands_alone() -> None:
    x = np.random.default_rng(0).standard_normal((2, 500))
    np.testing.assert_array_equal(guard_peaks(x)[:, 100:200], guard_peaks(x[:, 100:200]))


def test_the_input_is_left_alone_and_the_result_is_a_copy() -> None:
    for value in (0.5, 2.0):
        x = np.full(3, value)
        guarded = guard_peaks(x)
        guarded[:] = 0
        assert (x == value).all()


def test_empty_is_empty() -> None:
    assert guard_peaks(np.zeros((1, 0))).shape == (1, 0)
