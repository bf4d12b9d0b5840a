"""TFConformer: Conformer blocks along time and along the bands of a spectrum, that estimate a complex mask.

After Cao, Abdulatif and Yang, "CMGAN: Conformer-based Metric GAN for Speech Enhancement", Interspeech 2022. Ours
differs: no adversarial training, a convolutional encoder that sees one frame back instead of dilated dense blocks, one
decoder that gives a complex mask instead of a magnitude mask and a complex residual.

Shapes: B utterances, K frames, C channels, W bins or bands.
"""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor, nn

from cmkt.errors import ConfigError
from cmkt.models.blocks import compressed_features, decode, decoder, encode, encoder, encoder_state, halvings, masked
from cmkt.models.conformer import TwoPathConformer
from cmkt.models.whole_utterance import WholeUtterance
from cmkt.spectral.stft import STFT


@final
class TFConformer(WholeUtterance):
    """Complex-mask enhancer that sees the whole utterance, (B, T) -> (B, T), any T >= 1.

    channels: width of each encoder stage; every stage halves the bands. blocks: pairs of Conformer blocks, along time
    and along the bands, with `channels[-1]` features, a multiple of twice `heads`. kernel: of their convolutions, odd.
    compression: exponent applied to the magnitude at the input. The layer to supervise is the last pair, `blocks.1` of
    the default, (B, K, W, C). Time and memory grow with the square of the length: long recordings are enhanced in
    windows.
    """

    def __init__(
        self,
        sample_rate: int = 16_000,
        *,
        window_samples: int = 400,
        hop_samples: int = 200,
        channels: tuple[int, ...] = (16, 32, 32),
        blocks: int = 2,
        heads: int = 4,
        kernel: int = 15,
        expansion: int = 2,
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
            "heads": heads,
            "kernel": kernel,
            "expansion": expansion,
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
            TwoPathConformer(channels[-1], heads=heads, kernel=kernel, expansion=expansion) for _ in range(blocks)
        )
        self.decoder = decoder(channels, self._widths)

    def enhance_spectrum(self, spectrum: Tensor, mask: Tensor | None) -> Tensor:
        """As `WholeUtterance.enhance_spectrum`."""
        real, imaginary = spectrum.real, spectrum.imag
        features = compressed_features(real, imaginary, self.compression)
        skips, _ = encode(self.encoder, features, encoder_state(self._channels, self._widths, len(real), real))
        x = skips[-1].permute(0, 2, 3, 1)
        for block in self.blocks:
            x = block(x, mask)
        enhanced = masked(real, imaginary, decode(self.decoder, x.permute(0, 3, 1, 2), skips))
        return torch.complex(*enhanced)
