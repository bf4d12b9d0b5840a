from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.errors import ConfigError, MetricUndefinedError
from cmkt.metrics.pair import check_alone, check_pair


def test_a_good_pair_comes_back_in_double_precision() -> None:
    estimate, reference = check_pair(
        estimate=np.full(10, 0.5, dtype=np.float32), reference=np.ones(10, dtype=np.float32), sample_rate=16_000
    )
    assert estimate.dtype == reference.dtype == np.float64
    assert (estimate == 0.5).all()
    assert (reference == 1).all()


@pytest.mark.parametrize(
    ("estimate", "reference", "sample_rate", "reason"),
    [
        (np.ones(9), np.ones(10), 16_000, "10 samples, but has 9"),
        (np.ones((1, 10)), np.ones(10), 16_000, r"`estimate` must have shape \(T,\)"),
        (np.ones((2, 10)), np.ones((2, 10)), 16_000, "one by one"),
        (np.ones(10), np.ones(10), 0, "sample_rate"),
    ],
)
def test_mistakes_of_the_caller_are_config_errors(
    estimate: NDArray[np.float64], reference: NDArray[np.float64], sample_rate: int, reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        check_pair(estimate=estimate, reference=reference, sample_rate=sample_rate)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [(np.zeros(10), "silent"), (np.full(10, np.nan), "not finite"), (np.full(10, np.inf), "not finite")],
)
def test_facts_about_the_utterance_are_undefined_metrics_that_name_the_side(
    bad: NDArray[np.float64], reason: str
) -> None:
    with pytest.raises(MetricUndefinedError, match=f"the estimate is {reason}"):
        check_pair(estimate=bad, reference=np.ones(10), sample_rate=16_000)
    with pytest.raises(MetricUndefinedError, match=f"the reference is {reason}"):
        check_pair(estimate=np.ones(10), reference=bad, sample_rate=16_000)


def test_no_samples_are_undefined() -> None:
    with pytest.raises(MetricUndefinedError, match="empty"):
        check_pair(estimate=np.zeros(0), reference=np.zeros(0), sample_rate=16_000)


def test_an_estimate_alone_is_checked_in_the_same_way() -> None:
    assert check_alone(estimate=np.ones(10, dtype=np.float32), sample_rate=16_000).dtype == np.float64
    for bad, reason in ((np.zeros(10), "silent"), (np.full(10, np.nan), "not finite"), (np.zeros(0), "empty")):
        with pytest.raises(MetricUndefinedError, match=f"the estimate is {reason}"):
            check_alone(estimate=bad, sample_rate=16_000)
    with pytest.raises(ConfigError, match="one by one"):
        check_alone(estimate=np.ones((2, 10)), sample_rate=16_000)
    with pytest.raises(ConfigError, match="sample_rate"):
        check_alone(estimate=np.ones(10), sample_rate=-1)
