"""The torch enhancer: arrays, tensors and streams of any rate, channel count and length.

Shapes: C channels, T samples.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, overload

import numpy as np
import torch
from torch import Tensor, nn

from cmkt.audio.check import check_array, check_rate
from cmkt.errors import AudioError, ConfigError
from cmkt.inference.causal import CausalProcessor, FrameModel
from cmkt.inference.stream import OFFLINE_WINDOW_SECONDS, Stream
from cmkt.inference.windowed import WindowedProcessor

if TYPE_CHECKING:
    from cmkt.inference.stream import Processor
    from cmkt.types import FloatArray

_OVERLAP_SHARE = 0.25


class TorchEnhancer:
    """An enhancer around a torch model (B, T) -> (B, T), which it puts into evaluation mode.

    A model with `causal`, `stft`, `initial_state` and `enhance_frames` runs frame by frame with its state, so that
    memory stays bounded at any length. Any other runs in windows of 30 s with a cross-fade; up to 30 s it sees the
    whole signal at once.
    sample_rate: the model's rate in Hz, `model.sample_rate` by default. Raises ConfigError if neither is given.
    """

    def __init__(self, model: nn.Module, *, sample_rate: int | None = None) -> None:
        rate = getattr(model, "sample_rate", None) if sample_rate is None else sample_rate
        if not isinstance(rate, int):
            raise ConfigError(
                f"`sample_rate` must be an int attribute of {type(model).__name__}, but is {rate!r}. Set or pass it."
            )
        self._model = model.eval()
        self._sample_rate = rate

    @property
    def model(self) -> nn.Module:
        """The model, in evaluation mode."""
        return self._model

    @property
    def sample_rate(self) -> int:
        """The rate in Hz at which the model works."""
        return self._sample_rate

    @property
    def causal(self) -> bool:
        """Whether streams run frame by frame: the model says it is causal and carries its state."""
        return bool(getattr(self._model, "causal", False)) and isinstance(self._model, FrameModel)

    @overload
    def enhance(
        self, noisy: FloatArray, *, sample_rate: int, attenuation_limit_db: float | None = None
    ) -> FloatArray: ...
    @overload
    def enhance(self, noisy: Tensor, *, sample_rate: int, attenuation_limit_db: float | None = None) -> Tensor: ...
    def enhance(
        self, noisy: FloatArray | Tensor, *, sample_rate: int, attenuation_limit_db: float | None = None
    ) -> FloatArray | Tensor:
        """Enhanced audio of the same shape, (T,) or (C, T), type, dtype and device, at the same rate, without delay.

        attenuation_limit_db: nothing is turned down by more than this; see `cmkt.inference.stream.dry_gain`.
        Warns once per call if `sample_rate` is above the model's, as content above half the model's rate is removed.
        Raises AudioError for audio that cannot be used (not finite, empty, integers, axes swapped, a peak over 100).
        """
        if isinstance(noisy, Tensor):
            if not noisy.is_floating_point():
                raise AudioError(
                    f"The audio must be floats with full scale 1.0, but is {noisy.dtype}. Convert it first."
                )
            wide = noisy.detach().to("cpu", torch.float64 if noisy.dtype == torch.float64 else torch.float32)
            output = self._enhance_array(wide.numpy(), sample_rate, attenuation_limit_db)
            return torch.from_numpy(np.ascontiguousarray(output)).to(noisy.device, noisy.dtype)
        return self._enhance_array(noisy, sample_rate, attenuation_limit_db)

    def stream(
        self,
        *,
        sample_rate: int,
        channels: int = 1,
        attenuation_limit_db: float | None = None,
        window_seconds: float = 4.0,
    ) -> Stream:
        """A new stream; many may be open at once, each has its own state and all share the weights.

        Causal models run frame by frame and give what `enhance` gives. Models that need the future run in overlapping
        windows of `window_seconds` with a cross-fade: each sample waits for its window, see `Stream.latency_seconds`.
        Raises AudioError for a rate, ConfigError for a channel count, limit or window that cannot work.
        """
        rate = check_rate(sample_rate)
        self._warn_band(rate, stacklevel=3)
        return self._open(rate, channels, attenuation_limit_db, window_seconds)

    def _enhance_array(self, noisy: FloatArray, sample_rate: int, limit_db: float | None) -> FloatArray:
        noisy = np.asarray(noisy)
        audio = check_array(noisy, sample_rate=sample_rate)
        self._warn_band(sample_rate, stacklevel=4)
        channels = 1 if audio.ndim == 1 else audio.shape[0]
        stream = self._open(int(sample_rate), channels, limit_db, OFFLINE_WINDOW_SECONDS)
        parts = (stream.feed(audio), stream.flush())
        return np.concatenate(parts, axis=-1).astype(noisy.dtype, copy=False)

    def _warn_band(self, sample_rate: int, *, stacklevel: int) -> None:
        if sample_rate > self._sample_rate:
            warnings.warn(
                f"The model works at {self._sample_rate} Hz: content above {self._sample_rate // 2} Hz is removed.",
                stacklevel=stacklevel,
            )

    def _open(self, sample_rate: int, channels: int, limit_db: float | None, window_seconds: float) -> Stream:
        window_samples = max(round(window_seconds * self._sample_rate), 1)
        delay = int(getattr(self._model, "latency_samples", 0)) if self.causal else window_samples
        return Stream(
            lambda: self._processor(channels, window_samples),
            sample_rate=sample_rate,
            model_rate=self._sample_rate,
            channels=channels,
            processor_seconds=delay / self._sample_rate,
            attenuation_limit_db=limit_db,
        )

    def _processor(self, channels: int, window_samples: int) -> Processor:
        device, dtype = _placement(self._model)
        if self.causal and isinstance(self._model, FrameModel):
            return CausalProcessor(self._model, channels=channels, device=device, dtype=dtype)
        return WindowedProcessor(
            self._model,
            channels=channels,
            window_samples=window_samples,
            overlap_samples=int(window_samples * _OVERLAP_SHARE),
            device=device,
            dtype=dtype,
        )


def _placement(model: nn.Module) -> tuple[torch.device, torch.dtype]:
    """Device and dtype of the first floating-point parameter or buffer; CPU float32 for a model without any."""
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.is_floating_point():
            return tensor.device, tensor.dtype
    return torch.device("cpu"), torch.float32
