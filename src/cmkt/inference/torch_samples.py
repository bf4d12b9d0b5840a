"""A causal torch model of waveforms on its way through one signal. Shapes: C channels, K hops."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np
import torch
from torch.nn import functional

if TYPE_CHECKING:
    from cmkt.inference.causal import WaveModel
    from cmkt.types import FloatArray


@final
class TorchSamples:
    """`cmkt.inference.causal.Frames` of a torch model of waveforms, on its device and in its dtype."""

    def __init__(self, model: WaveModel, *, channels: int, device: torch.device, dtype: torch.dtype) -> None:
        self._model = model
        self._device, self._dtype = device, dtype
        self._state = model.initial_state(channels)

    @property
    def window_samples(self) -> int:
        """A hop and the delay."""
        return self._model.hop_samples + self._model.delay_samples

    @property
    def hop_samples(self) -> int:
        """What the model takes at a time."""
        return self._model.hop_samples

    def advance(self, signal: FloatArray) -> FloatArray:
        """The next K hops, enhanced and late: (C, delay + K * hop) in and out, the last `delay` samples zero.

        The first `delay` samples of `signal` were in the call before.
        """
        delay = self._model.delay_samples
        with torch.no_grad():
            noisy = torch.from_numpy(np.ascontiguousarray(signal[:, delay:])).to(self._device, self._dtype)
            enhanced, state = self._model.enhance_samples(noisy, self._state)
            # A state may be a view of the block that it ended; a copy lets go of the block.
            self._state = [tensor.clone() for tensor in state]
            output: FloatArray = functional.pad(enhanced, (0, delay)).cpu().numpy()
        return output
