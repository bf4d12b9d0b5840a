"""By how many samples one signal lies behind another, over many pairs of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST = 2_000
"""Samples to either side that are looked at."""


@final
class Lag:
    """Where the sum of normalised cross-correlations has its peak; one signal alone can have it a sample beside."""

    def __init__(self) -> None:
        self._sum = np.zeros(2 * LONGEST + 1)

    def add(self, source: NDArray[np.float32], output: NDArray[np.float32]) -> None:
        """Another pair, (T,) each; silence says nothing."""
        size = 1 << (source.size + output.size + LONGEST).bit_length()
        cross = np.fft.irfft(np.fft.rfft(output, size) * np.conj(np.fft.rfft(source, size)), size)
        scale = float(np.linalg.norm(source)) * float(np.linalg.norm(output))
        if scale > 0.0:
            self._sum += np.concatenate((cross[-LONGEST:], cross[: LONGEST + 1])) / scale

    def samples(self) -> int:
        """How far the outputs lie behind their sources, 0 where nothing was added."""
        return int(np.argmax(self._sum)) - LONGEST if self._sum.any() else 0
