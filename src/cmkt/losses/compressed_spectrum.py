"""Squared error of power-law compressed spectra, magnitude and complex.

Braun and Tashev, "A consolidated view of loss functions for supervised deep learning-based speech enhancement",
TSP 2021, equation 5.
"""

from __future__ import annotations

from typing import final

from torch import Tensor, nn

from cmkt.losses.masking import frame_mask, masked_mean, sample_mask
from cmkt.spectral.stft import STFT

_EPS = 1e-8


@final
class CompressedSpectrum(nn.Module):
    """(1 - w) * mean (|X|^c - |Y|^c)^2 + w * mean | |X|^c e^{i arg X} - |Y|^c e^{i arg Y} |^2; lower is better.

    compression: c; complex_weight: w. Shapes: estimate and reference (B, T), lengths (B,) or None; gives a scalar.
    """

    def __init__(
        self,
        compression: float = 0.3,
        complex_weight: float = 0.3,
        window_samples: int = 512,
        hop_samples: int = 256,
    ) -> None:
        super().__init__()
        self.compression = compression
        self.complex_weight = complex_weight
        self.stft = STFT(window_samples, hop_samples)

    def forward(self, *, estimate: Tensor, reference: Tensor, lengths: Tensor | None = None) -> Tensor:
        mask = sample_mask(reference, lengths)
        x, x_real, x_imag = self._compress(estimate.float() * mask)
        y, y_real, y_imag = self._compress(reference.float() * mask)
        magnitude = (x - y).square()
        complex_part = (x_real - y_real).square() + (x_imag - y_imag).square()
        error = (1 - self.complex_weight) * magnitude + self.complex_weight * complex_part
        return masked_mean(error, frame_mask(x, self.stft, lengths))

    def _compress(self, waveform: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        spectrum = self.stft.analyse(waveform)
        power = spectrum.real.square() + spectrum.imag.square() + _EPS
        gain = power ** ((self.compression - 1) / 2)
        return power ** (self.compression / 2), spectrum.real * gain, spectrum.imag * gain
