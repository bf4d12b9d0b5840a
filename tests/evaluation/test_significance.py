from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import wilcoxon

from cmkt.errors import ConfigError
from cmkt.evaluation.significance import holm, signed_rank


def test_five_gains_of_five_are_as_likely_as_two_in_thirty_two() -> None:
    assert signed_rank([1.0, 2.0, 3.0, 4.0, 5.0]) == pytest.approx(2 / 32)


@pytest.mark.parametrize(
    "values", [[1.0, 1.0, -0.5, 2.0, 2.0], [0.0, 0.0, 1.0, 1.0, -1.0, 3.0], [0.3, -0.1, 0.2, 0.7], [-2.0, 0.0]]
)
def test_few_differences_with_ties_and_zeros_have_the_exact_p_value(values: list[float]) -> None:
    assert signed_rank(values) == pytest.approx(float(wilcoxon(values, zero_method="pratt", method="auto").pvalue))


def test_one_difference_tells_nothing() -> None:
    assert signed_rank([0.7]) == 1.0


def test_many_gains_are_surely_a_gain_and_a_balance_is_none() -> None:
    rng = np.random.default_rng(0)
    assert signed_rank(list(rng.normal(0.5, 1.0, 100))) < 0.001
    assert signed_rank([-1.0, 1.0] * 20) == 1.0


@pytest.mark.parametrize("values", [[0.0], [0.0, 0.0], [0.0] * 40])
def test_no_difference_at_all_is_none(values: list[float]) -> None:
    assert signed_rank(values) == 1.0


def test_zeros_count_as_evidence_for_no_difference() -> None:
    assert signed_rank([0.0] * 20 + [1.0] * 5) > signed_rank([1.0] * 5 + [0.5] * 20)


def test_p_values_of_nothing_are_even() -> None:
    rng = np.random.default_rng(1)
    small = np.mean([signed_rank(list(rng.normal(size=25))) < 0.05 for _ in range(400)])
    assert 0.02 < small < 0.08


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


def test_what_is_no_p_value_is_refused() -> None:
    with pytest.raises(ConfigError, match="p-value"):
        holm([0.1, 1.2])
