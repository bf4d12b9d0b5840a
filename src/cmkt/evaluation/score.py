"""The metrics of one estimate against its reference, with a reason where one has no value.

Shapes: signals are (T,), of equal length and rate.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from cmkt.errors import AudioError, MetricUndefinedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cmkt.types import FloatArray, Metric


@final
@dataclass(frozen=True, slots=True)
class Metrics:
    """What was measured: a value for each metric that has one, a reason for each that has none."""

    values: dict[str, float]
    missing: dict[str, str]


def check_installed(metrics: Mapping[str, Metric]) -> None:
    """Raises MissingExtraError where a package that computes one of the metrics is not installed.

    Each is called on one sample of silence: it has no value there, but a missing package shows at once.
    """
    nothing = np.zeros(1)
    for metric in metrics.values():
        with suppress(MetricUndefinedError):
            metric(estimate=nothing, reference=nothing, sample_rate=16_000)


def measure(*, estimate: FloatArray, reference: FloatArray, sample_rate: int, metrics: Mapping[str, Metric]) -> Metrics:
    """Every metric of an estimate. One that is undefined here, or not finite, is missing with its reason.

    Raises: AudioError where the shapes differ or the estimate is not finite: that is a fault of the system.
    """
    if estimate.shape != reference.shape or estimate.ndim != 1:
        raise AudioError(
            f"The estimate must have the reference's shape (time,), {reference.shape}, but has {estimate.shape}."
        )
    if not np.isfinite(estimate).all():
        bad = int(np.size(estimate) - np.isfinite(estimate).sum())
        raise AudioError(f"Every sample of the estimate must be finite, but {bad} of {np.size(estimate)} are not.")
    values, missing = {}, {}
    for name, metric in metrics.items():
        try:
            value = float(metric(estimate=estimate, reference=reference, sample_rate=sample_rate))
        except MetricUndefinedError as error:
            missing[name] = str(error)
            continue
        if np.isfinite(value):
            values[name] = value
        else:
            missing[name] = f"the value is {value}"
    return Metrics(values, missing)
