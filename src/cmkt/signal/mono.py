"""The one shape that level, mixing and augmentation work on: (T,), float, finite, not empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cmkt.errors import AudioError

if TYPE_CHECKING:
    from cmkt.types import FloatArray


def check_mono(x: FloatArray, name: str) -> FloatArray:
    """`x` (T,) unchanged, after checking it. `name` is what the caller calls it, for the message.

    Raises:
        AudioError: `x` is not one channel, empty, not of a float dtype, or holds NaN or infinity.
    """
    if x.ndim != 1:
        raise AudioError(f"`{name}` must be one channel of shape (T,), but has shape {x.shape} instead.")
    if x.size == 0:
        raise AudioError(f"`{name}` must hold samples, but is empty.")
    if not np.issubdtype(x.dtype, np.floating):
        raise AudioError(f"`{name}` must be float with full scale 1.0, but is {x.dtype} instead. Convert it first.")
    if not np.isfinite(x).all():
        raise AudioError(f"`{name}` must be finite, but holds NaN or infinity.")
    return x
