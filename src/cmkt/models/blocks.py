"""What the backbones of spectra share: features in, stages that halve and double the bands, a mask out.

Shapes: B utterances, K frames, C channels, W bins or bands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

FEATURES = 3
"""Channels of `compressed_features`."""

_EPS = 1e-12
_SLOPE = 0.2


def compressed_features(real: Tensor, imaginary: Tensor, compression: float) -> Tensor:
    """(B, 3, K, W): the parts of a spectrum (B, K, W) and its magnitude, magnitudes to the power `compression`."""
    power = real.square() + imaginary.square() + _EPS
    gain = power ** ((compression - 1) / 2)
    return torch.stack((real * gain, imaginary * gain, power * gain / power.sqrt()), dim=1)


def masked(real: Tensor, imaginary: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """The parts of a spectrum (B, K, W) times the complex mask whose parts are the channels of `mask` (B, 2, K, W)."""
    a, b = mask[:, 0].to(real.dtype), mask[:, 1].to(real.dtype)
    return real * a - imaginary * b, real * b + imaginary * a


def halvings(width: int, stages: int) -> list[int]:
    """Bands before the first stage and after each: [width, (width - 1) // 2 + 1, ...]."""
    widths = [width]
    for _ in range(stages):
        widths.append((widths[-1] - 1) // 2 + 1)
    return widths


def encoder(channels: Sequence[int], kernels: Sequence[int]) -> nn.ModuleList:
    """Stages from the three features to `channels`; each has the width of its kernel along the bands, an odd number."""
    inputs = (FEATURES, *channels[:-1])
    return nn.ModuleList(EncoderStage(a, b, k) for a, b, k in zip(inputs, channels, kernels, strict=True))


def decoder(channels: Sequence[int], widths: Sequence[int]) -> nn.ModuleList:
    """Stages back from `channels`[-1] to the two channels of a mask over widths[0] bands, at first the identity."""
    outputs = (2, *channels[:-1])
    stages = list(zip(channels, outputs, widths[:-1], strict=True))
    return nn.ModuleList(DecoderStage(a, b, w, last=index == 0) for index, (a, b, w) in reversed([*enumerate(stages)]))


def encoder_state(channels: Sequence[int], widths: Sequence[int], batch: int, like: Tensor) -> list[Tensor]:
    """State of an encoder before the first frame: what each stage saw last, zeros (B, C, 1, W)."""
    inputs = (FEATURES, *channels[:-1])
    return [like.new_zeros(batch, c, 1, w) for c, w in zip(inputs, widths, strict=False)]


def encode(stages: nn.ModuleList, x: Tensor, state: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Outputs of all stages for features `x`, and their state after it. The last output goes on into the network."""
    outputs, after = [], []
    for stage, past in zip(stages, state, strict=True):
        after.append(x[:, :, -1:])
        x = stage(x, past)
        outputs.append(x)
    return outputs, after


def decode(stages: nn.ModuleList, x: Tensor, skips: Sequence[Tensor]) -> Tensor:
    """(B, 2, K, W): the mask; the encoder's outputs are added on the way."""
    for stage, skip in zip(stages, reversed(skips), strict=True):
        x = stage(x + skip)
    return x


def doubled_bands(x: Tensor, bands: int) -> Tensor:
    """(B, 2 C, K, W) -> (B, C, K, bands): two neighbouring channels become two neighbouring bands, the last cut off."""
    batch, channels, frames, width = x.shape
    pairs = x.reshape(batch, channels // 2, 2, frames, width).permute(0, 1, 3, 4, 2)
    return pairs.reshape(batch, channels // 2, frames, 2 * width)[..., :bands]


@final
class EncoderStage(nn.Module):
    """One stage: (B, A, K, W) -> (B, C, K, (W - 1) // 2 + 1), seeing this frame and the one before."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, (2, kernel), stride=(1, 2), padding=(0, kernel // 2), bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(outputs)
        self.activation = nn.LeakyReLU(_SLOPE)

    def forward(self, x: Tensor, past: Tensor) -> Tensor:
        """`past` (B, A, 1, W) is the frame before."""
        y: Tensor = self.activation(self.norm(self.conv(torch.cat((past.to(x.dtype), x), dim=2))))
        return y

    def fold_norm(self) -> None:
        """Puts the norm into the convolution, in place: the same map in evaluation, other names in the state."""
        if isinstance(self.norm, nn.BatchNorm2d):
            _fold(self.conv, self.norm, repeats=1)
            self.norm = nn.Identity()


@final
class DecoderStage(nn.Module):
    """One stage: (B, A, K, W) -> (B, C, K, V), frame by frame. The last one gives the mask, at first the identity.

    Every band becomes two by a convolution with twice the channels: the same map as a transposed convolution of
    stride two, several times faster on a CPU.
    """

    def __init__(self, inputs: int, outputs: int, bands: int, *, last: bool) -> None:
        super().__init__()
        self.bands = bands
        self.conv = nn.Conv2d(inputs, 2 * outputs, (1, 3), padding=(0, 1), bias=last)
        self.finish: nn.Module = nn.Identity()
        if last:
            assert self.conv.bias is not None
            with torch.no_grad():
                self.conv.bias.copy_(torch.tensor([1.0, 1.0, 0.0, 0.0]))
        else:
            self.finish = nn.Sequential(nn.BatchNorm2d(outputs), nn.LeakyReLU(_SLOPE))

    def forward(self, x: Tensor) -> Tensor:
        """Bands doubled, then cut to V."""
        finished: Tensor = self.finish(doubled_bands(self.conv(x), self.bands))
        return finished

    def fold_norm(self) -> None:
        """Puts the norm into the convolution, in place: the same map in evaluation, other names in the state."""
        if isinstance(self.finish, nn.Sequential) and isinstance(self.finish[0], nn.BatchNorm2d):
            _fold(self.conv, self.finish[0], repeats=2)
            self.finish = self.finish[1]


def _fold(conv: nn.Conv2d, norm: nn.BatchNorm2d, *, repeats: int) -> None:
    """`repeats` neighbouring outputs of `conv` share a channel of `norm`."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    mean, variance, weight, bias = (
        value.repeat_interleave(repeats) for value in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    )
    conv.weight, conv.bias = fuse_conv_bn_weights(conv.weight, conv.bias, mean, variance, norm.eps, weight, bias)
