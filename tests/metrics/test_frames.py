from __future__ import annotations

import numpy as np
import pytest

from cmkt.errors import MetricUndefinedError
from cmkt.metrics.frames import frames, mean_of_lowest


@pytest.mark.parametrize(("samples", "count"), [(600, 1), (719, 1), (720, 2), (16_000, 129)])
def test_a_frame_starts_every_7_5_ms_and_the_last_whole_one_is_left_out(samples: int, count: int) -> None:
    assert frames(np.ones(samples), 16_000).shape == (count, 480)


def test_the_window_is_symmetric_without_zeros() -> None:
    window = frames(np.ones(600), 16_000)[0]
    assert window[0] == pytest.approx(np.sin(np.pi / 481) ** 2)
    np.testing.assert_allclose(window, window[::-1])


def test_frames_hold_the_samples_from_their_start() -> None:
    found = frames(np.arange(1000.0), 16_000)
    np.testing.assert_allclose(found[2] / frames(np.ones(1000), 16_000)[2], np.arange(240, 720))


@pytest.mark.parametrize(("samples", "rate"), [(599, 16_000), (0, 16_000), (1000, 100)])
def test_under_37_5_ms_is_undefined(samples: int, rate: int) -> None:
    with pytest.raises(MetricUndefinedError, match=r"37\.5 ms"):
        frames(np.ones(samples), rate)


def test_the_highest_twentieth_of_the_frames_does_not_count() -> None:
    assert mean_of_lowest(np.array([1000.0, *[1.0] * 19])) == 1.0
    assert mean_of_lowest(np.array([3.0])) == 3.0
