"""Tests of paired differences: Wilcoxon's signed-rank test, and Holm's correction for having made several.

Wilcoxon, Individual Comparisons by Ranking Methods, 1945, zeros as Pratt, 1959, treats them. Holm, A Simple
Sequentially Rejective Multiple Test Procedure, 1979.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import stats

from cmkt.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVEL: Final = 0.05
"""A p-value below it, corrected where several tests are made, is taken for a difference."""

FEW: Final = 13
"""Up to so many differences all changes of sign are gone through, 8,192 at most."""


def signed_rank(differences: Sequence[float]) -> float:
    """The two-sided p-value, 0 to 1, of independent symmetric differences; 1 where there is but one or all are zero."""
    values = np.asarray(differences, dtype=np.float64)
    if values.size == 1 or not values.any():
        return 1.0
    if values.size > FEW:
        return float(stats.wilcoxon(values, zero_method="pratt", method="asymptotic").pvalue)
    # What wilcoxon(method="auto") does too, one change of sign at a time: 15 s for thirteen differences with ties.
    ranks = np.sign(values) * stats.rankdata(np.abs(values))
    exact = stats.permutation_test((ranks,), np.sum, permutation_type="samples", vectorized=True, n_resamples=2**FEW)
    return float(exact.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p-value as it stands when all of them are looked at: the chance of any false alarm stays below it.

    Raises: ConfigError where a value is not in [0, 1].

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise ConfigError(f"Every p-value must be in [0, 1], but they are {list(p_values)}.")
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = largest
    return corrected
