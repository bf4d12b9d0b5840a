"""SI-SDR, the ratio of the reference to everything else in the estimate.

Le Roux, Wisdom, Erdogan, Hershey: SDR - half-baked or well done?, ICASSP 2019, equations 2 to 4. In dB, unbounded,
higher is better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cmkt.errors import MetricUndefinedError
from cmkt.metrics.pair import check_pair

if TYPE_CHECKING:
    from cmkt.types import FloatArray


def si_sdr(*, estimate: FloatArray, reference: FloatArray, sample_rate: int) -> float:
    """Scale-invariant signal-to-distortion ratio in dB, higher is better.

    10 log10(|a s|^2 / |a s - e|^2) with a = <e, s> / |s|^2, for the estimate e and the reference s. As in the paper's
    formula no mean is removed: a constant offset of the estimate counts as distortion. The rate plays no part.

    Shape: estimate (T,), reference (T,).

    Raises:
        ConfigError: shapes differ or are not (T,).
        MetricUndefinedError: silence, not finite, or an infinite ratio: the estimate is the reference to the last bit
            but for its scale, or holds nothing of it.
    """
    estimate, reference = check_pair(estimate=estimate, reference=reference, sample_rate=sample_rate)
    target = np.dot(estimate, reference) / np.dot(reference, reference) * reference
    distortion = estimate - target
    signal_energy = np.dot(target, target)
    distortion_energy = np.dot(distortion, distortion)
    if distortion_energy == 0:
        raise MetricUndefinedError("the estimate equals the reference but for its scale: SI-SDR is infinite")
    if signal_energy == 0:
        raise MetricUndefinedError("the estimate holds nothing of the reference: SI-SDR is minus infinity")
    return float(10 * np.log10(signal_energy / distortion_energy))
