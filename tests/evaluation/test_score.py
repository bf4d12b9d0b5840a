from __future__ import annotations

import numpy as np
import pytest

from cmkt.errors import AudioError, MetricUndefinedError, MissingExtraError
from cmkt.evaluation.score import check_installed, measure
from cmkt.metrics.registry import DEFAULT_METRICS, RegisteredMetric
from cmkt.metrics.utterance import Utterance

CLEAN = np.linspace(-0.5, 0.5, 100)


def largest(utterance: Utterance) -> float:
    return float(utterance.estimate.max())


def difference(utterance: Utterance) -> float:
    return float(np.abs(utterance.reference - utterance.estimate).max())


def undefined(_: Utterance) -> float:
    raise MetricUndefinedError("too short")


def infinite(_: Utterance) -> float:
    return float("inf")


def absent(_: Utterance) -> float:
    raise MissingExtraError("install it")


METRICS = {
    each.name: each
    for each in (
        RegisteredMetric("largest", largest, needs_reference=False),
        RegisteredMetric("undefined", undefined),
        RegisteredMetric("infinite", infinite),
        RegisteredMetric("difference", difference),
    )
}


def test_a_metric_has_a_value_or_a_reason_and_never_both() -> None:
    found = measure(estimate=CLEAN, reference=CLEAN, sample_rate=16_000, metrics=METRICS)
    assert found.values == {"largest": 0.5, "difference": 0.0}
    assert found.missing == {"undefined": "too short", "infinite": "the value is inf"}


def test_without_a_reference_only_metrics_that_need_none_have_a_value() -> None:
    found = measure(estimate=CLEAN, reference=None, sample_rate=16_000, metrics=METRICS)
    assert found.values == {"largest": 0.5}
    assert found.missing["difference"] == "there is no clean reference"


def test_only_what_was_chosen_is_measured() -> None:
    chosen = {"largest": METRICS["largest"]}
    assert measure(estimate=CLEAN, reference=None, sample_rate=16_000, metrics=chosen).values == {"largest": 0.5}


def test_what_two_metrics_share_is_computed_once() -> None:
    calls = []

    def expensive(utterance: Utterance) -> float:
        calls.append(utterance)
        return 1.0

    def built_upon(utterance: Utterance) -> float:
        return 1 + utterance.once(expensive)

    metrics = {"alone": RegisteredMetric("alone", expensive), "upon": RegisteredMetric("upon", built_upon)}
    found = measure(estimate=CLEAN, reference=CLEAN, sample_rate=16_000, metrics=metrics)
    assert found.values == {"alone": 1.0, "upon": 2.0}
    assert len(calls) == 1


def test_every_default_metric_is_undefined_for_a_tenth_of_silence_and_says_why() -> None:
    silence = np.zeros(1600)
    found = measure(estimate=silence, reference=silence, sample_rate=16_000, metrics=DEFAULT_METRICS)
    assert found.values == {}
    assert set(found.missing) == set(DEFAULT_METRICS)
    assert all("silent" in reason for reason in found.missing.values())


def test_an_estimate_of_another_shape_is_a_fault_of_the_system() -> None:
    with pytest.raises(AudioError, match=r"\(100,\), but has \(99,\)"):
        measure(estimate=CLEAN[1:], reference=CLEAN, sample_rate=16_000, metrics={})
    with pytest.raises(AudioError, match=r"\(time,\), but has \(2, 50\)"):
        measure(estimate=CLEAN.reshape(2, 50), reference=None, sample_rate=16_000, metrics={})


def test_an_estimate_that_is_not_finite_is_a_fault_of_the_system() -> None:
    broken = CLEAN.copy()
    broken[:3] = np.nan
    for reference in (CLEAN, None):
        with pytest.raises(AudioError, match="3 of 100 are not"):
            measure(estimate=broken, reference=reference, sample_rate=16_000, metrics={})


def test_a_missing_package_shows_before_anything_is_scored() -> None:
    check_installed(METRICS)
    check_installed(DEFAULT_METRICS)
    with pytest.raises(MissingExtraError):
        check_installed({"absent": RegisteredMetric("absent", absent)})
