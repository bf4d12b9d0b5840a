"""SEMamba: selective state spaces along time and along the bands of a spectrum, that estimate a complex mask.

After Chao et al., "An Investigation of Incorporating Mamba for Speech Enhancement", SLT 2024. Ours differs: it is
causal, forward only along time and in both directions along the bands; the features of a head share one decay,
as in Dao and Gu, ICML 2024; a convolutional encoder that sees one frame back instead of dilated dense blocks, one
decoder that gives a complex mask instead of magnitude and phase, no adversarial training. A norm is over one frame or
fixed after training, and the state between frames is explicit.

Shapes: B utterances, K frames, C channels, W bins or bands.
"""

from __future__ import annotations

from typing import Any, cast, final

import torch
from torch import Tensor, nn

from cmkt.errors import ConfigError
from cmkt.models.blocks import compressed_features, decode, decoder, encode, encoder, encoder_state, halvings, masked
from cmkt.models.frame_by_frame import FrameByFrame
from cmkt.models.state_space import StateSpaceBlock
from cmkt.spectral.stft import STFT


@final
class SEMamba(FrameByFrame):
    """Causal complex-mask enhancer, (B, T) -> (B, T), any T >= 1.

    channels: width of each encoder stage; every stage halves the bands. blocks: pairs of state-space blocks, along time
    and along the bands, with `channels[-1]` features. expansion: of the features inside; head_width: of those that
    share a decay; states: kept for each feature; kernel: of the short convolution before, 2 or more. compression:
    exponent applied to the magnitude at the input.
    The layer to supervise is the last pair, `blocks.1` of the default, (B, K, W, C) first of its outputs.
    """

    def __init__(
        self,
        sample_rate: int = 16_000,
        *,
        window_samples: int = 400,
        hop_samples: int = 200,
        channels: tuple[int, ...] = (16, 24, 32),
        blocks: int = 2,
        expansion: int = 2,
        head_width: int = 32,
        states: int = 32,
        kernel: int = 4,
        compression: float = 0.3,
    ) -> None:
        """Raises ConfigError for widths that do not fit."""
        super().__init__()
        if not channels or blocks < 1:
            raise ConfigError(f"`channels` and `blocks` must hold one stage or more, but are {channels} and {blocks}.")
        self.init_args: dict[str, Any] = {
            "sample_rate": sample_rate,
            "window_samples": window_samples,
            "hop_samples": hop_samples,
            "channels": list(channels),
            "blocks": blocks,
            "expansion": expansion,
            "head_width": head_width,
            "states": states,
            "kernel": kernel,
            "compression": compression,
        }
        self.sample_rate = sample_rate
        self.compression = compression
        self.stft = STFT(window_samples, hop_samples)
        self.latency_samples = window_samples + hop_samples
        self._channels = tuple(channels)
        self._widths = halvings(self.stft.bins, len(channels))
        self.encoder = encoder(channels, kernels=(3,) * len(channels))
        self.blocks = nn.ModuleList(
            _TwoPath(channels[-1], expansion=expansion, head_width=head_width, states=states, kernel=kernel)
            for _ in range(blocks)
        )
        self.decoder = decoder(channels, self._widths)

    def initial_state(self, batch: int) -> list[Tensor]:
        """State before the first frame: the encoder's, then the two of every block along time, in each band."""
        bands, blocks = self._widths[-1], cast("list[_TwoPath]", [*self.blocks])
        states = [tensor for block in blocks for tensor in block.time.initial_state(batch * bands)]
        return [
            *encoder_state(self._channels, self._widths, batch, states[0]),
            *(tensor.reshape(batch, bands, *tensor.shape[1:]) for tensor in states),
        ]

    def enhance_parts(
        self, real: Tensor, imaginary: Tensor, state: list[Tensor]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """`enhance_frames` in real numbers: parts (B, K, bins) and state in, the same out."""
        stages = len(self._channels)
        features = compressed_features(real, imaginary, self.compression)
        skips, after = encode(self.encoder, features, state[:stages])
        x = skips[-1].permute(0, 2, 3, 1)
        for index, block in enumerate(self.blocks):
            first = stages + 2 * index
            x, *states = block(x, state[first], state[first + 1])
            after += states
        mask = decode(self.decoder, x.permute(0, 3, 1, 2), skips)
        return *masked(real, imaginary, mask), after


class _TwoPath(nn.Module):
    """(B, K, W, C): along time in each band from the past, then along the bands of each frame in both directions."""

    def __init__(self, channels: int, *, expansion: int, head_width: int, states: int, kernel: int) -> None:
        super().__init__()
        self.time, self.up, self.down = (
            StateSpaceBlock(channels, expansion=expansion, head_width=head_width, states=states, kernel=kernel)
            for _ in range(3)
        )
        self.merge = nn.Linear(2 * channels, channels)

    def forward(self, x: Tensor, past: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features, and the two states along time (B, W, ...) in and out."""
        batch, frames, bands, channels = x.shape
        along_time, *after = self.time(
            x.transpose(1, 2).reshape(batch * bands, frames, channels), past.flatten(0, 1), state.flatten(0, 1)
        )
        x = along_time.reshape(batch, bands, frames, channels).transpose(1, 2)
        rows = x.reshape(batch * frames, bands, channels)
        up, *_ = self.up(rows, *self.up.initial_state(batch * frames))
        down, *_ = self.down(rows.flip(1), *self.down.initial_state(batch * frames))
        y = self.merge(torch.cat((up, down.flip(1)), dim=-1)).reshape(x.shape)
        return x + y, after[0].reshape(past.shape), after[1].reshape(state.shape)
