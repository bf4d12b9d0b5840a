"""What the causal backbones of spectra share: a whole signal goes through the same steps as a stream.

Shapes: B utterances, T samples, K frames.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from cmkt.spectral.stft import STFT


class FrameByFrame(nn.Module, ABC):
    """A causal enhancer (B, T) -> (B, T), any T >= 1, of the spectra that its `stft` gives.

    It says in real numbers, which ONNX has, what the next frames become and what state they leave behind.
    """

    causal = True
    stft: STFT

    @abstractmethod
    def initial_state(self, batch: int) -> list[Tensor]:
        """State before the first frame, the utterances along the first axis of every tensor."""

    @abstractmethod
    def enhance_parts(
        self, real: Tensor, imaginary: Tensor, state: list[Tensor]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """`enhance_frames` in real numbers: parts (B, K, bins) and state in, the same out."""

    def forward(self, noisy: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Enhanced waveform (B, T). `lengths` is accepted for all models alike; a causal one does not need it."""
        spectrum = self.stft.analyse(noisy)
        enhanced, _ = self.enhance_frames(spectrum, self.initial_state(noisy.shape[0]))
        return self.stft.synthesise(enhanced, noisy.shape[-1])

    def enhance_frames(self, spectrum: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Enhanced spectrum (B, K, bins) of the next K >= 1 frames, and the state after them."""
        real, imaginary, after = self.enhance_parts(spectrum.real, spectrum.imag, state)
        return torch.complex(real, imaginary), after
