from __future__ import annotations

import numpy as np
import pytest

from studies.peers.timing import LONGEST, Lag


@pytest.mark.parametrize("behind", [-LONGEST, -7, 0, 1, 96, LONGEST])
def test_lag_is_the_shift_of_a_noisy_copy(behind: int) -> None:
    rng = np.random.default_rng(0)
    source = rng.standard_normal(12_000).astype(np.float32)
    output = (np.roll(source, behind) + rng.standard_normal(12_000)).astype(np.float32)
    lag = Lag()
    lag.add(source, output)
    assert lag.samples() == behind


def test_loud_signals_count_no_more_than_quiet_ones() -> None:
    rng = np.random.default_rng(1)
    lag = Lag()
    for scale, behind in ((1.0, 5), (1.0, 5), (1_000.0, 9)):
        source = scale * rng.standard_normal(4_000).astype(np.float32)
        lag.add(source, np.roll(source, behind))
    assert lag.samples() == 5


def test_silence_says_nothing() -> None:
    lag = Lag()
    lag.add(np.zeros(100, dtype=np.float32), np.zeros(100, dtype=np.float32))
    assert lag.samples() == 0
