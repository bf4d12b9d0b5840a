"""An estimate and its reference, or an estimate alone, checked before a metric sees them.

Shapes: T samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cmkt.errors import ConfigError, MetricUndefinedError
from cmkt.signal.level import SILENCE_DB, is_silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cmkt.types import FloatArray


def check_pair(
    *, estimate: FloatArray, reference: FloatArray, sample_rate: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`(estimate, reference)`, both (T,) float64.

    Raises:
        ConfigError: one is not (T,), their lengths differ, or the rate is not positive: a mistake of the caller.
        MetricUndefinedError: one is empty, not finite, or silent: a fact about this utterance.
    """
    _check_shape("estimate", estimate, sample_rate)
    _check_shape("reference", reference, sample_rate)
    if estimate.shape != reference.shape:
        raise ConfigError(
            f"`estimate` must be as long as `reference`, {reference.size} samples, but has {estimate.size} instead."
        )
    _check_content("estimate", estimate)
    _check_content("reference", reference)
    return estimate.astype(np.float64), reference.astype(np.float64)


def check_alone(*, estimate: FloatArray, sample_rate: int) -> NDArray[np.float64]:
    """`estimate` (T,) in float64, for metrics without a reference. Raises as `check_pair`."""
    _check_shape("estimate", estimate, sample_rate)
    _check_content("estimate", estimate)
    return estimate.astype(np.float64)


def _check_shape(name: str, x: FloatArray, sample_rate: int) -> None:
    if sample_rate <= 0:
        raise ConfigError(f"`sample_rate` must be positive, in Hz, but is {sample_rate} instead.")
    if x.ndim != 1:
        raise ConfigError(f"`{name}` must have shape (T,), but has {x.shape} instead. Score channels one by one.")


def _check_content(name: str, x: FloatArray) -> None:
    if x.size == 0:
        raise MetricUndefinedError(f"the {name} is empty")
    if not np.isfinite(x).all():
        raise MetricUndefinedError(f"the {name} is not finite")
    if is_silent(x):
        raise MetricUndefinedError(f"the {name} is silent, under {SILENCE_DB:g} dBFS")
