"""Short-time Fourier transform in numpy, the twin of `cmkt.spectral.stft`: same window, same framing, float32.

The last hop of a frame is new, the window - hop samples before it are those of earlier frames. Shapes: C channels,
K frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np
from scipy import fft

from cmkt.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cmkt.types import FloatArray


@final
class FrameTransform:
    """Frames of a signal to complex spectra and back.

    Raises ConfigError unless the window is a multiple, at least twofold, of the hop.
    """

    def __init__(self, window_samples: int, hop_samples: int) -> None:
        if hop_samples < 1 or window_samples < 2 * hop_samples or window_samples % hop_samples:
            raise ConfigError(
                "`window_samples` must be a multiple of `hop_samples`, at least twice as long, "
                f"but they are {window_samples} and {hop_samples}. Use for example 400 and 200."
            )
        self.window_samples = window_samples
        self.hop_samples = hop_samples
        self.overlap = window_samples // hop_samples
        self.bins = window_samples // 2 + 1
        phase = 2.0 * np.pi * np.arange(window_samples) / window_samples
        # The squares of a periodic Hann window's root sum to overlap / 2 at every sample.
        self.window = np.sqrt((0.5 - 0.5 * np.cos(phase)) * 2.0 / self.overlap).astype(np.float32)

    def analyse(self, signal: FloatArray) -> NDArray[np.complex64]:
        """(C, window + (K - 1) * hop) -> (C, K, bins)."""
        spectrum: NDArray[np.complex64] = fft.rfft(self._frames(signal).astype(np.float32, copy=False) * self.window)
        return spectrum

    def synthesise(self, spectrum: NDArray[np.complex64]) -> FloatArray:
        """(C, K, bins) -> (C, window + (K - 1) * hop): windowed frames, added at their places."""
        segments = fft.irfft(spectrum, n=self.window_samples) * self.window
        channels, frames, _ = segments.shape
        if frames == 1:
            alone: FloatArray = segments[:, 0]
            return alone
        parts = segments.reshape(channels, frames, self.overlap, self.hop_samples)
        total = np.zeros((channels, frames + self.overlap - 1, self.hop_samples), dtype=segments.dtype)
        for j in range(self.overlap):
            total[:, j : j + frames] += parts[:, :, j]
        return total.reshape(channels, -1)

    def _frames(self, signal: FloatArray) -> FloatArray:
        """(C, window + (K - 1) * hop) -> (C, K, window)."""
        if signal.shape[-1] == self.window_samples:
            return signal[:, None]  # the usual frame of a stream: a sliding view takes longer than its transform
        windows: FloatArray = np.lib.stride_tricks.sliding_window_view(signal, self.window_samples, axis=-1)
        return windows[:, :: self.hop_samples]
