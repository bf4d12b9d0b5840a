from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from studies.peers.suppressors import RATE, suppress


class Delay:
    """A suppressor that only gives each sample `delay_samples` later."""

    def __init__(self, sample_rate: int, frame_samples: int, delay_samples: int) -> None:
        self.sample_rate, self.frame_samples, self.delay_samples = sample_rate, frame_samples, delay_samples
        self.loudest = 0.0
        self._held = np.zeros(delay_samples, dtype=np.float32)

    def advance(self, frame: NDArray[np.float32]) -> NDArray[np.float32]:
        assert frame.shape == (self.frame_samples,)
        self.loudest = max(self.loudest, float(np.abs(frame).max()))
        both = np.concatenate((self._held, frame))
        self._held = both[self.frame_samples :]
        return both[: self.frame_samples]


def tones(samples: int) -> NDArray[np.float32]:
    """Far from half the rate, faded at both ends, so that resampling there and back keeps it."""
    time = np.arange(samples) / RATE
    fade = np.sin(np.pi * np.arange(samples) / max(samples - 1, 1)) ** 2
    return (0.2 * fade * sum(np.sin(2 * np.pi * f * time) for f in (220.0, 1_330.0, 5_100.0))).astype(np.float32)


@pytest.mark.parametrize("samples", [1, 95, 96, 160, 161, 4_000, 4_001])
def test_delay_is_cut_off_and_the_tail_comes_out_at_any_length(samples: int) -> None:
    noisy = np.random.default_rng(0).uniform(-1.0, 1.0, samples).astype(np.float32)
    np.testing.assert_array_equal(suppress(partial(Delay, RATE, 160, 96), noisy), noisy)


@pytest.mark.parametrize("samples", [4_000, 4_001, 4_002])
def test_signal_lies_where_it_lay_also_through_another_rate(samples: int) -> None:
    noisy = tones(samples)
    out = suppress(partial(Delay, 48_000, 480, 960), noisy)
    assert out.shape == noisy.shape
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, noisy, atol=2e-3)


def test_signal_above_full_scale_is_never_clipped_and_keeps_its_level() -> None:
    made: list[Delay] = []

    def make() -> Delay:
        made.append(Delay(RATE, 160, 96))
        return made[0]

    noisy = np.array([0.5, -4.0, 1.0], dtype=np.float32)
    np.testing.assert_allclose(suppress(make, noisy), noisy, rtol=1e-6)
    assert made[0].loudest == 1.0


def test_every_signal_gets_a_new_suppressor() -> None:
    made: list[Delay] = []

    def make() -> Delay:
        made.append(Delay(RATE, 160, 96))
        return made[-1]

    for _ in range(2):
        suppress(make, tones(300))
    assert len(made) == 2


def test_frames_that_do_not_cover_the_signal_are_filled_with_silence() -> None:
    heard: list[NDArray[np.float32]] = []

    class Listening(Delay):
        def advance(self, frame: NDArray[np.float32]) -> NDArray[np.float32]:
            heard.append(frame.copy())
            return super().advance(frame)

    suppress(partial(Listening, RATE, 160, 96), np.ones(100, dtype=np.float32))
    np.testing.assert_array_equal(np.concatenate(heard), np.r_[np.ones(100), np.zeros(220)])
