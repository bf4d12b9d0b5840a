"""What the backbones of spectra share that see the whole utterance: what stands in the padding changes nothing.

Shapes: B utterances, T samples, K frames.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from cmkt.spectral.stft import STFT


class WholeUtterance(nn.Module, ABC):
    """An enhancer (B, T) -> (B, T), any T >= 1, of the spectra that its `stft` gives."""

    causal = False
    stft: STFT

    @abstractmethod
    def enhance_spectrum(self, spectrum: Tensor, mask: Tensor | None) -> Tensor:
        """Enhanced spectrum (B, K, bins). `mask` (B, K) says which frames are real; None for all."""

    def forward(self, noisy: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Enhanced waveform (B, T). With `lengths` (B,) in samples, padding changes nothing before each length."""
        samples, mask = noisy.shape[-1], None
        if lengths is not None:
            noisy = silent_after(noisy, lengths)
            mask = self.stft.frames_within(lengths, self.stft.frames(samples))
        return self.stft.synthesise(self.enhance_spectrum(self.stft.analyse(noisy), mask), samples)


def silent_after(waveform: Tensor, lengths: Tensor) -> Tensor:
    """(B, T) with zeros from `lengths` (B,) in samples on."""
    return waveform * (torch.arange(waveform.shape[-1], device=waveform.device) < lengths[:, None])
