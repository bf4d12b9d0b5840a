"""The frames of 30 ms of the measures by Loizou's group: segmental SNR, LLR and WSS.

Loizou, Speech Enhancement: Theory and Practice, 2nd edition, 2013, and its MATLAB code. Shapes: T samples, N samples of
a frame, K frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from cmkt.errors import MetricUndefinedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SECONDS: Final = 0.03
OVERLAP: Final = 0.75


def frames(x: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """`x` (T,) in frames (K, N) of 30 ms every 7.5 ms, under a Hann window without its zeros.

    K = floor((T - N) / hop): like the authors' code it leaves out the last whole frame.

    Raises: MetricUndefinedError where that leaves none, under 37.5 ms.
    """
    samples = round(SECONDS * sample_rate)
    hop = int((1 - OVERLAP) * SECONDS * sample_rate)
    if hop == 0 or x.size < samples + hop:
        raise MetricUndefinedError("at least 37.5 ms are needed")
    window = 0.5 * (1 - np.cos(2 * np.pi * np.arange(1, samples + 1) / (samples + 1)))
    whole: NDArray[np.float64] = np.lib.stride_tricks.sliding_window_view(x, samples)[::hop][
        : (x.size - samples) // hop
    ]
    return whole * window


def mean_of_lowest(distances: NDArray[np.float64]) -> float:
    """The mean of the lowest 95% of the distances (K,) of frames, as Hu and Loizou take it against outliers."""
    return float(np.sort(distances)[: max(round(0.95 * distances.size), 1)].mean())
