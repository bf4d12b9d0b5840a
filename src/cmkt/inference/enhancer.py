"""The torch enhancer: arrays, tensors and streams of any rate, channel count and length.

Shapes: C channels, T samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final, overload

import numpy as np
import torch
from torch import Tensor, nn

from cmkt.errors import AudioError, ConfigError
from cmkt.inference.array_enhancer import ArrayEnhancer
from cmkt.inference.causal import CausalProcessor, FrameModel, WaveModel
from cmkt.inference.torch_frames import TorchFrames
from cmkt.inference.torch_samples import TorchSamples
from cmkt.inference.windowed import WindowedProcessor

if TYPE_CHECKING:
    from cmkt.inference.stream import Processor
    from cmkt.types import FloatArray

_OVERLAP_SHARE = 0.25


@final
class TorchEnhancer(ArrayEnhancer):
    """An enhancer around a torch model (B, T) -> (B, T), which it puts into evaluation mode.

    A causal model with `stft`, `initial_state` and `enhance_frames` runs frame by frame with its state, so that memory
    stays bounded at any length; one with `hop_samples`, `delay_samples`, `initial_state` and `enhance_samples` runs hop
    by hop. Any other runs in windows of 30 s with a cross-fade; up to 30 s it sees the whole signal at once.
    sample_rate: the model's rate in Hz, `model.sample_rate` by default. Raises ConfigError if neither is given.
    """

    def __init__(self, model: nn.Module, *, sample_rate: int | None = None) -> None:
        rate = getattr(model, "sample_rate", None) if sample_rate is None else sample_rate
        if not isinstance(rate, int):
            raise ConfigError(
                f"`sample_rate` must be an int attribute of {type(model).__name__}, but is {rate!r}. Set or pass it."
            )
        self._model = model.eval()
        self._causal = stepping(model)
        super().__init__(sample_rate=rate, frame_latency_samples=_step_latency(self._causal))

    @property
    def model(self) -> nn.Module:
        """The model, in evaluation mode."""
        return self._model

    @overload
    def enhance(
        self, noisy: FloatArray, *, sample_rate: int, attenuation_limit_db: float | None = None
    ) -> FloatArray: ...
    @overload
    def enhance(self, noisy: Tensor, *, sample_rate: int, attenuation_limit_db: float | None = None) -> Tensor: ...
    def enhance(
        self, noisy: FloatArray | Tensor, *, sample_rate: int, attenuation_limit_db: float | None = None
    ) -> FloatArray | Tensor:
        """As `ArrayEnhancer.enhance`; a tensor gives a tensor, on its device."""
        if isinstance(noisy, Tensor):
            if not noisy.is_floating_point():
                raise AudioError(
                    f"The audio must be floats with full scale 1.0, but is {noisy.dtype}. Convert it first."
                )
            wide = noisy.detach().to("cpu", torch.float64 if noisy.dtype == torch.float64 else torch.float32)
            output = self._enhance_array(wide.numpy(), sample_rate, attenuation_limit_db)
            return torch.from_numpy(np.ascontiguousarray(output)).to(noisy.device, noisy.dtype)
        return self._enhance_array(noisy, sample_rate, attenuation_limit_db)

    def _processor(self, channels: int, window_samples: int) -> Processor:
        device, dtype = _placement(self._model)
        if isinstance(self._causal, FrameModel):
            frames = TorchFrames(self._causal, channels=channels, device=device, dtype=dtype)
            return CausalProcessor(frames, channels=channels)
        if self._causal is not None:
            samples = TorchSamples(self._causal, channels=channels, device=device, dtype=dtype)
            return CausalProcessor(samples, channels=channels)
        return WindowedProcessor(
            self._model,
            channels=channels,
            window_samples=window_samples,
            overlap_samples=int(window_samples * _OVERLAP_SHARE),
            device=device,
            dtype=dtype,
        )


def stepping(model: nn.Module) -> FrameModel | WaveModel | None:
    """The model if it is causal and carries its state from frame to frame or hop to hop."""
    return model if isinstance(model, FrameModel | WaveModel) and getattr(model, "causal", False) else None


def hop_samples(model: FrameModel | WaveModel) -> int:
    """What it takes at a time."""
    return model.stft.hop_samples if isinstance(model, FrameModel) else model.hop_samples


def _step_latency(model: FrameModel | WaveModel | None) -> int | None:
    if model is None:
        return None
    before = model.stft.window_samples if isinstance(model, FrameModel) else model.delay_samples
    return int(getattr(model, "latency_samples", before + hop_samples(model)))


def _placement(model: nn.Module) -> tuple[torch.device, torch.dtype]:
    """Device and dtype of the first floating-point parameter or buffer; CPU float32 for a model without any."""
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.is_floating_point():
            return tensor.device, tensor.dtype
    return torch.device("cpu"), torch.float32
