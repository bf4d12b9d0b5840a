"""A causal torch model on its way through one signal. Shapes: C channels, K frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np
import torch

if TYPE_CHECKING:
    from cmkt.inference.causal import FrameModel
    from cmkt.types import FloatArray


@final
class TorchFrames:
    """`cmkt.inference.causal.Frames` of a torch model, on its device and in its dtype."""

    def __init__(self, model: FrameModel, *, channels: int, device: torch.device, dtype: torch.dtype) -> None:
        self._model = model
        self._device, self._dtype = device, dtype
        self._state = model.initial_state(channels)

    @property
    def window_samples(self) -> int:
        """Length of a frame."""
        return self._model.stft.window_samples

    @property
    def hop_samples(self) -> int:
        """From one frame to the next."""
        return self._model.stft.hop_samples

    def advance(self, signal: FloatArray) -> FloatArray:
        """The next K frames, enhanced, windowed and added: (C, window + (K - 1) * hop) in and out."""
        stft = self._model.stft
        with torch.no_grad():
            noisy = torch.from_numpy(np.ascontiguousarray(signal)).to(self._device, self._dtype)
            spectrum = stft.analyse_frames(noisy.unfold(-1, stft.window_samples, stft.hop_samples))
            enhanced, state = self._model.enhance_frames(spectrum, self._state)
            # A state may be a view of the block that it ended; a copy lets go of the block.
            self._state = [tensor.clone() for tensor in state]
            output: FloatArray = stft.overlap_add(stft.synthesise_frames(enhanced)).cpu().numpy()
        return output
