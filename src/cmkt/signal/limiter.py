"""A guard against clipping that has no memory, so that it changes nothing in time and works in a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cmkt.types import FloatArray

KNEE = 0.99


def guard_peaks(x: FloatArray) -> FloatArray:
    """`x` (any shape) with magnitudes under 1: the identity up to 0.99, a smooth bend above, the same sign everywhere.

    Above the knee k = 0.99 it is k + (1 - k) tanh((|x| - k) / (1 - k)), whose slope at the knee is 1. float16 comes
    back as float32.
    """
    x = x.astype(np.float32) if x.dtype == np.float16 else x
    magnitude = np.abs(x)
    if magnitude.max(initial=0.0) <= KNEE:
        return x.copy()
    over = magnitude > KNEE
    bent = KNEE + (1 - KNEE) * np.tanh((magnitude[over] - KNEE) / (1 - KNEE))
    guarded = x.copy()
    guarded[over] = np.copysign(np.minimum(bent, np.nextafter(x.dtype.type(1), x.dtype.type(0))), x[over])
    return guarded
