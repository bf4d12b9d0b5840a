"""Conformer blocks, as the two-path backbones use them along time and along the bands.

Gulati et al., "Conformer: Convolution-augmented Transformer for Speech Recognition", Interspeech 2020: half a
feed-forward layer, self-attention, a gated depthwise convolution, the other half. Ours differs: positions are rotations
of queries and keys (Su et al., "RoFormer", 2021), which need no longest length, and the norm after the convolution is
over the channels of a frame, not over the batch, so that padding and other utterances change nothing.

Shapes: B sequences, L steps, C channels, A heads.
"""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from cmkt.errors import ConfigError

_ROTATION_BASE = 1000.0
"""The slowest rotation of a head of width D has a period of 2 pi 1000^(1 - 2 / D) steps: 200 for D = 4, 1,100 for 8,
2,700 for 16. A window of 30 s has 2,400 frames of 12.5 ms, more than one period of a narrow head."""


@final
class ConformerBlock(nn.Module):
    """(B, L, C) -> (B, L, C); steps where the mask (B, L) is False are read by no other.

    heads: of attention, C a multiple of twice as many; kernel: of the convolution, odd; expansion: of the feed-forward
    layers. Raises: ConfigError for widths that do not fit.
    """

    def __init__(self, channels: int, *, heads: int, kernel: int, expansion: int) -> None:
        super().__init__()
        self.before = _FeedForward(channels, expansion)
        self.attention = _SelfAttention(channels, heads)
        self.convolution = _Convolution(channels, kernel)
        self.after = _FeedForward(channels, expansion)
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Values at masked steps mean nothing."""
        x = x + 0.5 * self.before(x)
        x = x + self.attention(x, mask)
        x = x + self.convolution(x, mask)
        y: Tensor = self.norm(x + 0.5 * self.after(x))
        return y


@final
class TwoPathConformer(nn.Module):
    """(B, K, W, C) -> (B, K, W, C): along the K frames in each of the W bands, then along the bands of each frame."""

    def __init__(self, channels: int, *, heads: int, kernel: int, expansion: int) -> None:
        super().__init__()
        self.time = ConformerBlock(channels, heads=heads, kernel=kernel, expansion=expansion)
        self.bands = ConformerBlock(channels, heads=heads, kernel=kernel, expansion=expansion)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """`mask` (B, K) says which frames are real."""
        batch, frames, bands, channels = x.shape
        rows = None if mask is None else mask.repeat_interleave(bands, dim=0)
        along_time = self.time(x.transpose(1, 2).reshape(batch * bands, frames, channels), rows)
        x = along_time.reshape(batch, bands, frames, channels).transpose(1, 2)
        y: Tensor = self.bands(x.reshape(batch * frames, bands, channels)).reshape(x.shape)
        return y


class _FeedForward(nn.Sequential):
    def __init__(self, channels: int, expansion: int) -> None:
        wide = expansion * channels
        super().__init__(nn.LayerNorm(channels), nn.Linear(channels, wide), nn.SiLU(), nn.Linear(wide, channels))


class _SelfAttention(nn.Module):
    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        if heads < 1 or channels % (2 * heads):
            raise ConfigError(
                f"The channels must be a multiple of twice `heads`, but are {channels} for {heads} heads."
            )
        self.heads = heads
        self.norm = nn.LayerNorm(channels)
        self.project = nn.Linear(channels, 3 * channels)
        self.output = nn.Linear(channels, channels)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        batch, length, channels = x.shape
        projected = self.project(self.norm(x)).reshape(batch, length, 3, self.heads, channels // self.heads)
        queries, keys, values = projected.permute(2, 0, 3, 1, 4)
        read = functional.scaled_dot_product_attention(
            rotated(queries), rotated(keys), values, attn_mask=None if mask is None else mask[:, None, None, :]
        )
        y: Tensor = self.output(read.transpose(1, 2).reshape(batch, length, channels))
        return y


class _Convolution(nn.Module):
    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        if kernel < 1 or kernel % 2 == 0:
            raise ConfigError(f"`kernel` must be odd, but is {kernel}.")
        self.norm = nn.LayerNorm(channels)
        self.gate = nn.Linear(channels, 2 * channels)
        self.depthwise = nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.inner_norm = nn.LayerNorm(channels)
        self.output = nn.Linear(channels, channels)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        y = functional.glu(self.gate(self.norm(x)), dim=-1)
        if mask is not None:
            y = y * mask[..., None]
        y = self.depthwise(y.transpose(1, 2)).transpose(1, 2)
        z: Tensor = self.output(functional.silu(self.inner_norm(y)))
        return z


def rotated(x: Tensor) -> Tensor:
    """(B, A, L, width), width even: each pair of features turned by an angle that grows with the step, so that products
    of two steps depend on how far they lie apart."""
    half = x.shape[-1] // 2
    speeds = _ROTATION_BASE ** -(torch.arange(half, device=x.device, dtype=torch.float32) / half)
    angles = torch.arange(x.shape[-2], device=x.device, dtype=torch.float32)[:, None] * speeds
    cosine, sine = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second = x[..., :half], x[..., half:]
    return torch.cat((first * cosine - second * sine, first * sine + second * cosine), dim=-1)
