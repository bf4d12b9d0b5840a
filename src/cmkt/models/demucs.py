"""Demucs: a causal encoder-decoder on the waveform with a recurrent middle, that gives samples, not a mask.

After Défossez, Synnaeve and Adi, "Real Time Speech Enhancement in the Waveform Domain", Interspeech 2020. Ours differs:
the waveform is not resampled to four times its rate (the first strides are smaller instead), nothing is divided by the
level of the utterance, every convolution looks only back in time and its state between hops is explicit. A fixed delay
of the skips gives the network the future that the paper's frames of 37 ms see.

Shapes: B utterances, T samples, K steps of a layer, C channels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from cmkt.errors import ConfigError

_REFERENCE_SPREAD = 0.1
"""Of weights at first: each convolution is scaled half the way, in decibels, to this standard deviation."""


@final
class Demucs(nn.Module):
    """Causal waveform enhancer, (B, T) -> (B, T), any T >= 1.

    channels: width of each encoder stage, the last also that of the recurrent layers. strides: of each stage; their
    product is the hop. kernel: of the convolutions, a multiple of every stride. layers: recurrent ones. delay_hops: how
    many hops after the sample the network may hear before it answers; latency is one hop more. The layer to supervise
    is `recurrent.lstm`, (B, T / hop, channels[-1]) first of its outputs.
    """

    causal = True

    def __init__(
        self,
        sample_rate: int = 16_000,
        *,
        channels: tuple[int, ...] = (16, 32, 64, 128),
        strides: tuple[int, ...] = (4, 4, 4, 4),
        kernel: int = 8,
        layers: int = 2,
        delay_hops: int = 1,
    ) -> None:
        """Raises ConfigError for stages, strides or a kernel that cannot be built."""
        super().__init__()
        _check(channels, strides, kernel=kernel, layers=layers, delay_hops=delay_hops)
        self.init_args: dict[str, Any] = {
            "sample_rate": sample_rate,
            "channels": list(channels),
            "strides": list(strides),
            "kernel": kernel,
            "layers": layers,
            "delay_hops": delay_hops,
        }
        self.sample_rate = sample_rate
        self.hop_samples = math.prod(strides)
        self.delay_samples = delay_hops * self.hop_samples
        self.latency_samples = self.delay_samples + self.hop_samples
        stages = list(zip((1, *channels[:-1]), channels, strides, strict=True))
        self.encoder = nn.ModuleList(_Encoder(a, b, kernel, stride) for a, b, stride in stages)
        self.recurrent = _Recurrent(channels[-1], layers)
        self.decoder = nn.ModuleList(
            _Decoder(b, a, kernel, stride, last=index == 0) for index, (a, b, stride) in reversed([*enumerate(stages)])
        )
        self._channels = tuple(channels)
        self._delays = [self.delay_samples // math.prod(strides[: index + 1]) for index in range(len(strides))]
        for module in self.modules():
            if isinstance(module, nn.Conv1d):
                _narrow(module)

    def forward(self, noisy: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Enhanced waveform (B, T). `lengths` is accepted for all models alike; a causal one does not need it."""
        samples = noisy.shape[-1]
        padded = functional.pad(noisy, (0, -samples % self.hop_samples + self.delay_samples))
        enhanced, _ = self.enhance_samples(padded, self.initial_state(noisy.shape[0]))
        return enhanced[:, self.delay_samples : self.delay_samples + samples]

    def initial_state(self, batch: int) -> list[Tensor]:
        """State before the first hop: what the encoder's stages saw last, the hidden and cell state of the recurrent
        layers, what the decoder's stages saw last, and the skips that wait where there is a delay."""
        new = next(self.parameters()).new_zeros
        stages: list[Any] = [*self.encoder, self.recurrent, self.recurrent, *self.decoder]
        skips = zip(self._channels, self._delays, strict=True) if self.delay_samples else ()
        return [new(batch, *shape) for shape in (*(stage.past for stage in stages), *skips)]

    def enhance_samples(self, noisy: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """The next whole hops (B, K * hop), K >= 1, enhanced and `delay_samples` late, and the state after them."""
        stages = len(self.encoder)
        x, skips, after = noisy[:, None], [], []
        for stage, past in zip(self.encoder, state[:stages], strict=True):
            x, seen = stage(x, past)
            skips.append(x)
            after.append(seen)
        x, *recurrent = self.recurrent(x, *state[stages : stages + 2])
        skips, waiting = self._late(skips, state[2 * stages + 2 :])
        after += recurrent
        for stage, skip, past in zip(self.decoder, skips[::-1], state[stages + 2 : 2 * stages + 2], strict=True):
            x, seen = stage(x + skip, past)
            after.append(seen)
        return x[:, 0], [*after, *waiting]

    def _late(self, skips: list[Tensor], waiting: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """The skips `delay_samples` late, and what of them still waits."""
        if not self.delay_samples:
            return skips, []
        queues = [torch.cat((first.to(skip.dtype), skip), dim=-1) for first, skip in zip(waiting, skips, strict=True)]
        pairs = list(zip(queues, self._delays, strict=True))
        return [queue[..., :-delay] for queue, delay in pairs], [queue[..., -delay:] for queue, delay in pairs]


class _Encoder(nn.Module):
    """(B, A, K * stride) -> (B, C, K): a strided convolution, and a gated one over the channels."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.past = (inputs, kernel - stride)
        self.conv = nn.Conv1d(inputs, outputs, kernel, stride)
        self.gate = nn.Conv1d(outputs, 2 * outputs, 1)

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """`past` (B, A, kernel - stride) is what came before; the same for the next call is given back."""
        x = torch.cat((past.to(x.dtype), x), dim=-1)
        y = functional.glu(self.gate(functional.relu(self.conv(x))), dim=1)
        return y, x[..., -self.past[1] :]


class _Decoder(nn.Module):
    """(B, C, K) -> (B, A, K * stride): a gated convolution over the channels, and one that makes `stride` steps of one.

    That is the same map as a transposed convolution of `kernel` steps, faster on a CPU.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, *, last: bool) -> None:
        super().__init__()
        taps = kernel // stride
        self.past = (inputs, taps - 1)
        self.stride = stride
        self.gate = nn.Conv1d(inputs, 2 * inputs, 1)
        self.conv = nn.Conv1d(inputs, stride * outputs, taps)
        self.activation: nn.Module = nn.Identity() if last else nn.ReLU()

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """`past` (B, C, kernel / stride - 1) is what came before; the same for the next call is given back."""
        x = torch.cat((past.to(x.dtype), functional.glu(self.gate(x), dim=1)), dim=-1)
        y: Tensor = self.conv(x)
        batch, channels, steps = y.shape
        y = y.reshape(batch, channels // self.stride, self.stride, steps).transpose(2, 3)
        y = y.reshape(batch, channels // self.stride, steps * self.stride)
        return self.activation(y), x[..., -self.past[1] :]


class _Recurrent(nn.Module):
    """(B, C, K) -> (B, C, K) along time."""

    def __init__(self, channels: int, layers: int) -> None:
        super().__init__()
        self.past = (layers, channels)
        self.lstm = nn.LSTM(channels, channels, layers, batch_first=True)

    def forward(self, x: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Hidden and cell state (B, layers, C) in and out."""
        state = [tensor.to(x.dtype).transpose(0, 1).contiguous() for tensor in (hidden, cell)]
        y, (after, cell_after) = self.lstm(x.transpose(1, 2), (state[0], state[1]))
        return y.transpose(1, 2), after.transpose(0, 1), cell_after.transpose(0, 1)


def _narrow(conv: nn.Conv1d) -> None:
    """The paper's scaling of fresh weights."""
    with torch.no_grad():
        scale = (conv.weight.std() / _REFERENCE_SPREAD).sqrt()
        conv.weight /= scale
        assert conv.bias is not None
        conv.bias /= scale


def _check(channels: Sequence[int], strides: Sequence[int], *, kernel: int, layers: int, delay_hops: int) -> None:
    if not channels or len(channels) != len(strides):
        raise ConfigError(
            f"`channels` and `strides` must have one number a stage, but are {channels} and {strides} instead."
        )
    if any(stride < 1 or kernel % stride or kernel < 2 * stride for stride in strides):
        raise ConfigError(
            f"`kernel` must be a multiple, at least twofold, of every stride, but is {kernel} for {strides} instead."
        )
    if layers < 1 or delay_hops < 0:
        raise ConfigError(
            f"`layers` must be at least 1 and `delay_hops` at least 0, but are {layers} and {delay_hops} instead."
        )
