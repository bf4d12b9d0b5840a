from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from cmkt.errors import AudioError, MetricUndefinedError, MissingExtraError
from cmkt.evaluation.score import check_installed, measure

if TYPE_CHECKING:
    from cmkt.types import FloatArray

CLEAN = np.linspace(-0.5, 0.5, 100)


def largest(*, estimate: FloatArray, reference: FloatArray, sample_rate: int) -> float:
    return float(estimate.max())


def undefined(*, estimate: FloatArray, reference: FloatArray, sample_rate: int) -> float:
    raise MetricUndefinedError("too short")


def infinite(*, estimate: FloatArray, reference: FloatArray, sample_rate: int) -> float:
    return float("inf")


def absent(*, estimate: FloatArray, reference: FloatArray, sample_rate: int) -> float:
    raise MissingExtraError("install it")


def test_a_metric_has_a_value_or_a_reason_and_never_both() -> None:
    metrics = {"largest": largest, "undefined": undefined, "infinite": infinite}
    found = measure(estimate=CLEAN, reference=CLEAN, sample_rate=16_000, metrics=metrics)
    assert found.values == {"largest": 0.5}
    assert found.missing == {"undefined": "too short", "infinite": "the value is inf"}


def test_an_estimate_of_another_length_is_a_fault_of_the_system() -> None:
    with pytest.raises(AudioError, match=r"\(100,\), but has \(99,\)"):
        measure(estimate=CLEAN[1:], reference=CLEAN, sample_rate=16_000, metrics={})


def test_an_estimate_that_is_not_finite_is_a_fault_of_the_system() -> None:
    broken = CLEAN.copy()
    broken[:3] = np.nan
    with pytest.raises(AudioError, match="3 of 100 are not"):
        measure(estimate=broken, reference=CLEAN, sample_rate=16_000, metrics={})


def test_a_missing_package_shows_before_anything_is_scored() -> None:
    check_installed({"undefined": undefined, "largest": largest})
    with pytest.raises(MissingExtraError):
        check_installed({"absent": absent})
