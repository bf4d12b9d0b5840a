"""MPSENet: magnitude and phase estimated side by side, by two decoders behind Conformer blocks along time and bands.

After Lu, Ai and Ling, "MP-SENet: A Speech Enhancement Model with Parallel Denoising of Magnitude and Phase Spectra",
Interspeech 2023: power-law compressed magnitude, dilated dense blocks, a bounded mask whose steepness is learned for
each bin, and a phase from two channels. Ours differs: no adversarial training, norms over the channels of a bin instead
of the utterance, and the two channels turn the noisy phase instead of being turned into an angle. So there is no arc
tangent, whose gradient has no bound, and decoders that give zero give the input back.

Shapes: B utterances, K frames, C channels, W bins or bands.
"""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor, nn

from cmkt.errors import ConfigError
from cmkt.models.blocks import FEATURES, compressed_features, doubled_bands, masked
from cmkt.models.conformer import TwoPathConformer
from cmkt.models.whole_utterance import WholeUtterance
from cmkt.spectral.stft import STFT

_HIGHEST_MASK = 2.0
"""Of compressed magnitudes."""

_EPS = 1e-6


@final
class MPSENet(WholeUtterance):
    """Enhancer that sees the whole utterance, (B, T) -> (B, T), any T >= 1.

    channels: of every layer, a multiple of twice `heads`. dense: layers of each dense block, the last one reaching
    2^(dense - 1) frames to both sides. blocks: pairs of Conformer blocks, along time and along the bands. kernel: of
    their convolutions, odd. compression: exponent applied to the magnitude before the mask. The layer to supervise is
    the last pair, `blocks.1` of the default, (B, K, W, C). Time and memory grow with the square of the length: long
    recordings are enhanced in windows.
    """

    def __init__(
        self,
        sample_rate: int = 16_000,
        *,
        window_samples: int = 400,
        hop_samples: int = 200,
        channels: int = 16,
        dense: int = 3,
        blocks: int = 2,
        heads: int = 4,
        kernel: int = 15,
        expansion: int = 2,
        compression: float = 0.3,
    ) -> None:
        """Raises ConfigError for widths or depths that cannot be built."""
        super().__init__()
        if dense < 1 or blocks < 1:
            raise ConfigError(f"`dense` and `blocks` must be at least 1, but are {dense} and {blocks} instead.")
        self.init_args: dict[str, Any] = {
            "sample_rate": sample_rate,
            "window_samples": window_samples,
            "hop_samples": hop_samples,
            "channels": channels,
            "dense": dense,
            "blocks": blocks,
            "heads": heads,
            "kernel": kernel,
            "expansion": expansion,
            "compression": compression,
        }
        self.sample_rate = sample_rate
        self.compression = compression
        self.stft = STFT(window_samples, hop_samples)
        self.latency_samples = window_samples + hop_samples
        self.encoder = nn.ModuleList(
            [_Layer(FEATURES, channels, (1, 1)), _Dense(channels, dense), _Layer(channels, channels, (1, 3), stride=2)]
        )
        self.blocks = nn.ModuleList(
            TwoPathConformer(channels, heads=heads, kernel=kernel, expansion=expansion) for _ in range(blocks)
        )
        self.magnitude = _Decoder(channels, dense, self.stft.bins, outputs=1)
        self.steepness = nn.Parameter(torch.ones(self.stft.bins))
        self.phase = _Decoder(channels, dense, self.stft.bins, outputs=2)

    def enhance_spectrum(self, spectrum: Tensor, mask: Tensor | None) -> Tensor:
        """As `WholeUtterance.enhance_spectrum`."""
        real, imaginary = spectrum.real, spectrum.imag
        x = compressed_features(real, imaginary, self.compression)
        for layer in self.encoder:
            x = layer(x, mask)
        x = x.permute(0, 2, 3, 1)
        for block in self.blocks:
            x = block(x, mask)
        x = x.permute(0, 3, 1, 2)
        if mask is not None:
            x = x * mask[:, None, :, None]
        gain = self._gain(self.magnitude(x, mask)[:, 0])
        turn = unit(self.phase(x, mask))
        return torch.complex(*masked(real, imaginary, turn * gain[:, None]))

    def _gain(self, x: Tensor) -> Tensor:
        """Of the magnitude, 0 to 2^(1 / compression), from what a decoder gave, (B, K, W); zero gives one."""
        return (_HIGHEST_MASK * torch.sigmoid(self.steepness * x)) ** (1 / self.compression)


def unit(x: Tensor) -> Tensor:
    """(B, 2, K, W): the complex numbers whose parts are the channels of `1 + x`, brought to length one.

    Zero turns nothing. Where the sum is zero there is no direction, and the result is zero too, with a finite gradient.
    """
    parts = torch.stack((1 + x[:, 0], x[:, 1]), dim=1)
    return parts / (parts.square().sum(dim=1, keepdim=True) + _EPS).sqrt()


class _Layer(nn.Module):
    """Convolution, norm over the channels, activation: (B, A, K, W) -> (B, C, K, (W - 1) // stride + 1).

    Frames that are not real give zeros, as the frames around an utterance are.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: tuple[int, int], *, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        padding = (dilation * (kernel[0] // 2), kernel[1] // 2)
        self.conv = nn.Conv2d(
            inputs, outputs, kernel, stride=(1, stride), padding=padding, dilation=(dilation, 1), bias=False
        )
        self.norm = nn.LayerNorm(outputs)
        self.activation = nn.PReLU(outputs)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """`mask` (B, K) says which frames are real."""
        y: Tensor = self.activation(self.norm(self.conv(x).movedim(1, -1)).movedim(-1, 1))
        return y if mask is None else y * mask[:, None, :, None]


class _Dense(nn.Module):
    """(B, C, K, W) -> (B, C, K, W): each layer reads all before it, and reaches twice as far along time."""

    def __init__(self, channels: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            _Layer((index + 1) * channels, channels, (3, 3), dilation=2**index) for index in range(layers)
        )

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """`mask` (B, K) says which frames are real."""
        y = x
        for layer in self.layers:
            y = layer(x, mask)
            x = torch.cat((y, x), dim=1)
        return y


class _Decoder(nn.Module):
    """(B, C, K, W) -> (B, outputs, K, V): a dense block, then every band becomes two, then one convolution."""

    def __init__(self, channels: int, dense: int, bands: int, *, outputs: int) -> None:
        super().__init__()
        self.bands = bands
        self.dense = _Dense(channels, dense)
        self.widen = _Layer(channels, 2 * channels, (1, 3))
        self.output = nn.Conv2d(channels, outputs, (1, 3), padding=(0, 1))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Bands doubled, then cut to V."""
        output: Tensor = self.output(doubled_bands(self.widen(self.dense(x, mask), mask), self.bands))
        return output
