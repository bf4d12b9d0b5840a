"""Enhancement of an endless signal with a model that needs the future: overlapping windows with a cross-fade.

Windows of W samples start every W - V samples. In the V samples that two windows share, the earlier fades out linearly
while the later fades in. A signal of at most W samples is enhanced whole; the last window of a longer one reaches back
so that it is W samples long, too. A sample leaves at most W samples after it came in.

Shapes: C channels, n samples of a chunk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np
import torch

from cmkt.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn

    from cmkt.types import FloatArray


@final
class WindowedProcessor:
    """Feeds audio at the model's rate through a model window by window; as many samples come out as went in."""

    def __init__(
        self,
        model: nn.Module,
        *,
        channels: int,
        window_samples: int,
        overlap_samples: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        if not 0 < 2 * overlap_samples <= window_samples:
            raise ConfigError(
                f"The overlap must be at most half a window, but it is {overlap_samples} of {window_samples} samples."
            )
        self._model = model
        self._device, self._dtype = device, dtype
        self._window, self._overlap = window_samples, overlap_samples
        self._rise = np.arange(1, overlap_samples + 1) / (overlap_samples + 1)
        self._pending = np.zeros((channels, 0), dtype=np.float32)  # from the start of the next window
        self._before = np.zeros((channels, 0), dtype=np.float32)  # the input before that
        self._fading: FloatArray | None = None  # the end of the last window, not yet given

    def feed(self, audio: FloatArray) -> FloatArray:
        """The next samples (C, m) that are final, m >= 0, for the next n samples (C, n)."""
        self._pending = np.concatenate((self._pending, audio), axis=-1)
        parts = [self._pending[:, :0]]
        step = self._window - self._overlap
        while self._pending.shape[-1] >= self._window:
            output = self._blend(self._enhance(self._pending[:, : self._window]))
            parts.append(output[:, :step])
            self._fading = output[:, step:].copy()
            self._before = self._pending[:, :step].copy()
            self._pending = self._pending[:, step:].copy()
        return np.concatenate(parts, axis=-1)

    def flush(self) -> FloatArray:
        """The samples that are still owed (C, m). The processor is at its end after this."""
        left = self._pending.shape[-1]
        if left == 0:
            return self._pending
        if self._fading is not None and left == self._overlap:
            return self._fading
        past = self._before[:, max(self._before.shape[-1] - (self._window - left), 0) :]
        output = self._enhance(np.concatenate((past, self._pending), axis=-1))[:, past.shape[-1] :]
        return self._blend(output)

    def _blend(self, output: FloatArray) -> FloatArray:
        if self._fading is not None:
            head = output[:, : self._overlap]
            output[:, : self._overlap] = self._fading + self._rise * (head - self._fading)
        return output

    def _enhance(self, audio: FloatArray) -> FloatArray:
        with torch.no_grad():
            noisy = torch.from_numpy(np.ascontiguousarray(audio)).to(self._device, self._dtype)
            output = np.array(self._model(noisy).cpu().numpy())
        if output.shape != audio.shape:
            raise ConfigError(
                f"The model must return a waveform of its input's shape {audio.shape}, but returned {output.shape}."
            )
        return output
