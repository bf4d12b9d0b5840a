"""CRN: a causal convolutional-recurrent network that estimates a complex mask.

After Tan and Wang, "A Convolutional Recurrent Neural Network for Real-Time Speech Enhancement", Interspeech 2018, and
"Learning Complex Spectral Mapping With Gated Convolutional Recurrent Networks", TASLP 2020. Ours differs: power-law
compressed input, one recurrent layer, additive skips, a complex mask instead of a mapping. All convolutions look only
back in time, no statistic is taken over the utterance, and the state between frames is explicit.

Shapes: B utterances, K frames, C channels, W bins or bands.
"""

from __future__ import annotations

from typing import Any, final

from torch import Tensor, nn

from cmkt.models.blocks import compressed_features, decode, decoder, encode, encoder, encoder_state, halvings, masked
from cmkt.models.frame_by_frame import FrameByFrame
from cmkt.spectral.stft import STFT


@final
class CRN(FrameByFrame):
    """Causal complex-mask enhancer, (B, T) -> (B, T), any T >= 1.

    channels: width of each encoder stage; every stage halves the bands. hidden: width of the recurrent layer.
    compression: exponent applied to the magnitude at the input. The layer to supervise is `recurrent`, (B, K, hidden).
    """

    def __init__(
        self,
        sample_rate: int = 16_000,
        *,
        window_samples: int = 400,
        hop_samples: int = 200,
        channels: tuple[int, ...] = (16, 24, 32, 32),
        hidden: int = 192,
        compression: float = 0.3,
    ) -> None:
        super().__init__()
        self.init_args: dict[str, Any] = {
            "sample_rate": sample_rate,
            "window_samples": window_samples,
            "hop_samples": hop_samples,
            "channels": list(channels),
            "hidden": hidden,
            "compression": compression,
        }
        self.sample_rate = sample_rate
        self.compression = compression
        self.stft = STFT(window_samples, hop_samples)
        self.latency_samples = window_samples + hop_samples
        self._channels = tuple(channels)
        self._widths = halvings(self.stft.bins, len(channels))
        features = channels[-1] * self._widths[-1]
        self.encoder = encoder(channels, kernels=(3,) * len(channels))
        self.recurrent = _Recurrent(features, hidden)
        self.expand = nn.Linear(hidden, features)
        self.decoder = decoder(channels, self._widths)

    def initial_state(self, batch: int) -> list[Tensor]:
        """State before the first frame: the encoder's, then the recurrent layer's output."""
        weight = self.expand.weight
        return [
            *encoder_state(self._channels, self._widths, batch, weight),
            weight.new_zeros(batch, 1, self.expand.in_features),
        ]

    def enhance_parts(
        self, real: Tensor, imaginary: Tensor, state: list[Tensor]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """`enhance_frames` in real numbers: parts (B, K, bins) and state in, the same out."""
        features = compressed_features(real, imaginary, self.compression)
        skips, after = encode(self.encoder, features, state[:-1])
        batch, channels, frames, bands = skips[-1].shape
        hidden = self.recurrent(skips[-1].permute(0, 2, 1, 3).reshape(batch, frames, channels * bands), state[-1])
        x = self.expand(hidden).reshape(batch, frames, channels, bands).permute(0, 2, 1, 3)
        return *masked(real, imaginary, decode(self.decoder, x, skips)), [*after, hidden[:, -1:]]


class _Recurrent(nn.Module):
    """(B, K, I) -> (B, K, hidden). The output of the last frame is the state, so nothing else needs to be returned."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.gru = nn.GRU(inputs, hidden, batch_first=True)

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        y: Tensor = self.gru(x, state.to(x.dtype).transpose(0, 1).contiguous())[0]
        return y
