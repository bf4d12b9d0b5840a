"""The learning rate over a run."""

from __future__ import annotations

from itertools import pairwise

import pytest

from cmkt.training.schedule import learning_rate_factor


def factors(total: int, warmup: int, floor: float) -> list[float]:
    return [
        learning_rate_factor(step, warmup_steps=warmup, total_steps=total, floor=floor) for step in range(total + 3)
    ]


def test_the_rate_rises_in_equal_steps_to_its_peak() -> None:
    assert factors(20, 4, 0.1)[:4] == [0.25, 0.5, 0.75, 1.0]


def test_the_rate_falls_from_its_peak_to_the_floor_and_stays_there() -> None:
    values = factors(20, 4, 0.1)
    assert all(a >= b for a, b in pairwise(values[3:]))
    assert values[20:] == pytest.approx([0.1, 0.1, 0.1])


def test_half_way_down_is_half_way_between_peak_and_floor() -> None:
    assert learning_rate_factor(60, warmup_steps=20, total_steps=100, floor=0.2) == pytest.approx(0.6)


def test_no_warm_up_starts_at_the_peak() -> None:
    assert factors(5, 0, 0.0)[0] == 1.0
