"""The metrics of one estimate, against its reference where there is one, with a reason where one has no value.

Shapes: signals are (T,), of equal length and rate.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from cmkt.errors import AudioError, MetricUndefinedError
from cmkt.metrics.utterance import Utterance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cmkt.metrics.registry import RegisteredMetric
    from cmkt.types import FloatArray


@final
@dataclass(frozen=True, slots=True)
class Metrics:
    """What was measured: a value for each metric that has one, a reason for each that has none."""

    values: dict[str, float]
    missing: dict[str, str]


def check_installed(metrics: Mapping[str, RegisteredMetric]) -> None:
    """Raises MissingExtraError where a package that computes one of the metrics is not installed.

    Each is called on one sample of silence: it has no value there, but a missing package shows at once.
    """
    nothing = np.zeros(1)
    utterance = Utterance(estimate=nothing, reference=nothing, sample_rate=16_000)
    for metric in metrics.values():
        with suppress(MetricUndefinedError):
            utterance.once(metric.compute)


def measure(
    *, estimate: FloatArray, reference: FloatArray | None, sample_rate: int, metrics: Mapping[str, RegisteredMetric]
) -> Metrics:
    """Every metric of an estimate. One that is undefined here, or not finite, is missing with its reason.

    So are those that need a reference where there is none. What several metrics need is computed once.

    Raises: AudioError where the shapes differ or the estimate is not finite: that is a fault of the system.
    """
    if estimate.ndim != 1 or (reference is not None and estimate.shape != reference.shape):
        wanted = "(time,)" if reference is None else f"the reference's shape (time,), {reference.shape}"
        raise AudioError(f"The estimate must have {wanted}, but has {estimate.shape}.")
    if not np.isfinite(estimate).all():
        bad = int(np.size(estimate) - np.isfinite(estimate).sum())
        raise AudioError(f"Every sample of the estimate must be finite, but {bad} of {np.size(estimate)} are not.")
    utterance = Utterance(estimate=estimate, reference=reference, sample_rate=sample_rate)
    values, missing = {}, {}
    for name, metric in metrics.items():
        try:
            value = float(utterance.once(metric.compute))
        except MetricUndefinedError as error:
            missing[name] = str(error)
            continue
        if np.isfinite(value):
            values[name] = value
        else:
            missing[name] = f"the value is {value}"
    return Metrics(values, missing)
