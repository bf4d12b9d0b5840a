"""Mean absolute error of magnitude spectra: L_SE of the paper (arXiv 2503.07078)."""

from __future__ import annotations

from typing import final

from torch import Tensor, nn

from cmkt.losses.masking import frame_mask, masked_mean, sample_mask
from cmkt.spectral.stft import STFT

_EPS = 1e-12


@final
class MAE(nn.Module):
    """Mean over bins and real frames of | |X|^c - |Y|^c |; lower is better.

    compression: c; 1 is the plain magnitude, 0.3 weighs quiet parts up.
    Shapes: estimate and reference (B, T), lengths (B,) in samples or None; gives a scalar.
    """

    def __init__(self, compression: float = 1.0, window_samples: int = 512, hop_samples: int = 256) -> None:
        super().__init__()
        self.compression = compression
        self.stft = STFT(window_samples, hop_samples)

    def forward(self, *, estimate: Tensor, reference: Tensor, lengths: Tensor | None = None) -> Tensor:
        mask = sample_mask(reference, lengths)
        x, y = self._magnitude(estimate.float() * mask), self._magnitude(reference.float() * mask)
        return masked_mean((x - y).abs(), frame_mask(x, self.stft, lengths))

    def _magnitude(self, waveform: Tensor) -> Tensor:
        spectrum = self.stft.analyse(waveform)
        power = spectrum.real.square() + spectrum.imag.square() + _EPS
        return power ** (self.compression / 2)
