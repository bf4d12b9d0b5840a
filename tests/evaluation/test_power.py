from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from cmkt.evaluation.power import smallest_detectable, student_t


def test_with_many_degrees_it_is_the_textbook_sum_of_two_normal_quantiles() -> None:
    assert smallest_detectable(0.5, 1e6) == pytest.approx(0.5 * (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)), rel=1e-3)


@pytest.mark.parametrize("degrees", [1.0, 1.7, 2.0, 4.0, 40.0])
def test_a_true_difference_of_that_size_is_found_in_eighty_of_a_hundred(degrees: float) -> None:
    rng = np.random.default_rng(0)
    true = smallest_detectable(1.0, degrees)
    estimate = true + rng.standard_normal(40_000)
    error = np.sqrt(rng.chisquare(degrees, estimate.size) / degrees)
    found = np.abs(estimate / error) > stats.t.ppf(0.975, degrees)
    assert found.mean() == pytest.approx(0.8, abs=0.01)


def test_without_any_spread_every_difference_is_seen() -> None:
    assert smallest_detectable(0.0, 2.0) == 0.0


def test_fewer_seeds_see_less() -> None:
    seen = [smallest_detectable(1.0, degrees) for degrees in (1, 2, 4, 8)]
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize("degrees", [1.0, 1.7, 30.0, 1e6])
@pytest.mark.parametrize("level", [0.9, 0.05, 1e-10, 1e-100])
def test_the_quantile_is_exact_in_the_tails(level: float, degrees: float) -> None:
    assert student_t(level, degrees) == pytest.approx(stats.t.isf(level / 2, degrees))
