"""DPCRN: a causal dual-path convolutional-recurrent network that estimates a complex mask.

After Le et al., "DPCRN: Dual-Path Convolution Recurrent Network for Single Channel Speech Enhancement", Interspeech
2021. The weights of the dual-path layers are shared by all bands, so they are few and every band's noise is training
for every other; one narrow recurrent layer over all bands remembers the rest. High bins are merged into bands of equal
width on the ERB scale, as in Rong et al., "GTCRN", ICASSP 2024. Ours differs: power-law compressed input, few channels,
additive skips. Convolutions look only back in time, a norm is over one frame or fixed after training, and the state
between frames is explicit.

Shapes: B utterances, K frames, C channels, W bins or bands.
"""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor, nn

from cmkt.errors import ConfigError
from cmkt.models.blocks import compressed_features, decode, decoder, encode, encoder, encoder_state, halvings, masked
from cmkt.models.frame_by_frame import FrameByFrame
from cmkt.spectral.bands import merging_weights
from cmkt.spectral.stft import STFT


@final
class DPCRN(FrameByFrame):
    """Causal complex-mask enhancer, (B, T) -> (B, T), any T >= 1.

    linear_bins: bins from 0 Hz that stay single; all above become merged_bands. channels, kernels: width of each
    encoder stage, and of its kernel along the bands (odd); every stage halves the bands. blocks: dual-path blocks, each
    with `channels[-1]` features, an even number. hidden: width of the recurrent layer over all bands, after the first
    block. compression: exponent applied to the magnitude at the input.
    The layer to supervise is `recurrent.lstm`, (B, K, hidden) first of its outputs.
    """

    def __init__(
        self,
        sample_rate: int = 16_000,
        *,
        window_samples: int = 400,
        hop_samples: int = 200,
        linear_bins: int = 64,
        merged_bands: int = 64,
        channels: tuple[int, ...] = (16, 24, 32),
        kernels: tuple[int, ...] = (5, 3, 3),
        blocks: int = 2,
        hidden: int = 128,
        compression: float = 0.3,
    ) -> None:
        """Raises ConfigError for bands, kernels or channels that cannot be built."""
        super().__init__()
        _check(channels, kernels, blocks)
        self.init_args: dict[str, Any] = {
            "sample_rate": sample_rate,
            "window_samples": window_samples,
            "hop_samples": hop_samples,
            "linear_bins": linear_bins,
            "merged_bands": merged_bands,
            "channels": list(channels),
            "kernels": list(kernels),
            "blocks": blocks,
            "hidden": hidden,
            "compression": compression,
        }
        self.sample_rate = sample_rate
        self.compression = compression
        self.stft = STFT(window_samples, hop_samples)
        self.latency_samples = window_samples + hop_samples
        self.linear_bins = linear_bins
        self.hidden = hidden
        weights = merging_weights(self.stft.bins, linear_bins, merged_bands, sample_rate)
        self.merge: Tensor
        self.split: Tensor
        self.register_buffer("merge", (weights / weights.sum(0)).float(), persistent=False)
        self.register_buffer("split", (weights.T / weights.sum(1)).float(), persistent=False)
        self._channels = tuple(channels)
        self._widths = halvings(linear_bins + merged_bands, len(channels))
        self.encoder = encoder(channels, kernels)
        self.blocks = nn.ModuleList(_DualPath(channels[-1], self._widths[-1]) for _ in range(blocks))
        self.recurrent = _FullBand(channels[-1], self._widths[-1], hidden)
        self.decoder = decoder(channels, self._widths)

    def initial_state(self, batch: int) -> list[Tensor]:
        """State before the first frame: the encoder's, then hidden and cell state of every recurrent layer in time."""
        new, bands = self.merge.new_zeros, self._widths[-1]
        shapes = [(batch, bands, self._channels[-1])] * (2 * len(self.blocks)) + [(batch, 1, self.hidden)] * 2
        return [*encoder_state(self._channels, self._widths, batch, self.merge), *(new(shape) for shape in shapes)]

    def enhance_parts(
        self, real: Tensor, imaginary: Tensor, state: list[Tensor]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """`enhance_frames` in real numbers: parts (B, K, bins) and state in, the same out."""
        stages = len(self._channels)
        features = self._merged(compressed_features(real, imaginary, self.compression))
        skips, after = encode(self.encoder, features, state[:stages])
        x = skips[-1].permute(0, 2, 3, 1)
        for index, block in enumerate(self.blocks):
            first = stages + 2 * index
            x, *states = block(x, state[first], state[first + 1])
            after += states
            if index == 0:
                x, *last = self.recurrent(x, state[-2], state[-1])
        mask = decode(self.decoder, x.permute(0, 3, 1, 2), skips)
        return *masked(real, imaginary, self._split(mask)), [*after, *last]

    def _merged(self, x: Tensor) -> Tensor:
        return torch.cat((x[..., : self.linear_bins], x[..., self.linear_bins :] @ self.merge), dim=-1)

    def _split(self, x: Tensor) -> Tensor:
        return torch.cat((x[..., : self.linear_bins], x[..., self.linear_bins :] @ self.split), dim=-1)


class _DualPath(nn.Module):
    """(B, K, W, C): along the bands of each frame in both directions, then along time in each band."""

    def __init__(self, channels: int, bands: int) -> None:
        super().__init__()
        self.intra = nn.LSTM(channels, channels // 2, batch_first=True, bidirectional=True)
        self.intra_out = nn.Linear(channels, channels)
        self.intra_norm = nn.LayerNorm((bands, channels))
        self.inter = nn.LSTM(channels, channels, batch_first=True)
        self.inter_out = nn.Linear(channels, channels)
        self.inter_norm = nn.LayerNorm((bands, channels))

    def forward(self, x: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features, hidden and cell state (B, W, C) in and out."""
        batch, frames, bands, channels = x.shape
        y = self.intra(x.reshape(batch * frames, bands, channels))[0]
        x = x + self.intra_norm(self.intra_out(y).reshape(x.shape))
        y = x.transpose(1, 2).reshape(batch * bands, frames, channels)
        state = [tensor.to(x.dtype).reshape(1, batch * bands, channels) for tensor in (hidden, cell)]
        y, (after, cell_after) = self.inter(y, (state[0], state[1]))
        y = self.inter_out(y).reshape(batch, bands, frames, channels).transpose(1, 2)
        return x + self.inter_norm(y), after.reshape(hidden.shape), cell_after.reshape(cell.shape)


class _FullBand(nn.Module):
    """(B, K, W, C): along time, all bands of a frame at once."""

    def __init__(self, channels: int, bands: int, hidden: int) -> None:
        super().__init__()
        self.narrow = nn.Linear(bands * channels, hidden)
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True)
        self.widen = nn.Linear(hidden, bands * channels)
        self.norm = nn.LayerNorm((bands, channels))

    def forward(self, x: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features, hidden and cell state (B, 1, hidden) in and out."""
        state = [tensor.to(x.dtype).transpose(0, 1).contiguous() for tensor in (hidden, cell)]
        y, (after, cell_after) = self.lstm(self.narrow(x.flatten(2)), (state[0], state[1]))
        y = self.norm(self.widen(y).reshape(x.shape))
        return x + y, after.transpose(0, 1), cell_after.transpose(0, 1)


def _check(channels: tuple[int, ...], kernels: tuple[int, ...], blocks: int) -> None:
    if not channels or len(channels) != len(kernels):
        raise ConfigError(
            f"`channels` and `kernels` must have one number a stage, but are {channels} and {kernels} instead."
        )
    if any(kernel % 2 == 0 for kernel in kernels):
        raise ConfigError(f"`kernels` must be odd, but are {kernels} instead.")
    if channels[-1] % 2:
        raise ConfigError(f"`channels` must end with an even number, but are {channels} instead.")
    if blocks < 1:
        raise ConfigError(f"`blocks` must be at least 1, but is {blocks} instead.")
