"""CRN: a causal convolutional-recurrent network that estimates a complex mask.

After Tan and Wang, "A Convolutional Recurrent Neural Network for Real-Time Speech Enhancement", Interspeech 2018, and
"Learning Complex Spectral Mapping With Gated Convolutional Recurrent Networks", TASLP 2020. Ours differs: power-law
compressed input, one recurrent layer, additive skips, a complex mask instead of a mapping. All convolutions look only
back in time, no statistic is taken over the utterance, and the state between frames is explicit.

Shapes: B utterances, K frames, C channels, W bins or bands.
"""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor, nn

from cmkt.spectral.stft import STFT

_EPS = 1e-12
_SLOPE = 0.2


@final
class CRN(nn.Module):
    """Causal complex-mask enhancer, (B, T) -> (B, T), any T >= 1.

    channels: width of each encoder stage; every stage halves the bands. hidden: width of the recurrent layer.
    compression: exponent applied to the magnitude at the input. The layer to supervise is `recurrent`, (B, K, hidden).
    """

    causal = True

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
        channels = tuple(channels)
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
        widths = [self.stft.bins]
        for _ in channels:
            widths.append((widths[-1] - 1) // 2 + 1)
        self._encoder_inputs = inputs = (3, *channels[:-1])
        outputs = (2, *channels[:-1])
        self.encoder = nn.ModuleList(_Encode(a, b) for a, b in zip(inputs, channels, strict=True))
        self.recurrent = _Recurrent(channels[-1] * widths[-1], hidden)
        self.expand = nn.Linear(hidden, channels[-1] * widths[-1])
        stages = list(zip(channels, outputs, widths[:-1], strict=True))
        self.decoder = nn.ModuleList(_Decode(a, b, w, last=w == widths[0]) for a, b, w in reversed(stages))

    def forward(self, noisy: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Enhanced waveform (B, T). `lengths` is accepted for all models alike; a causal one does not need it."""
        spectrum = self.stft.analyse(noisy)
        enhanced, _ = self.enhance_frames(spectrum, self.initial_state(noisy.shape[0]))
        return self.stft.synthesise(enhanced, noisy.shape[-1])

    def initial_state(self, batch: int) -> list[Tensor]:
        """State before the first frame: what each encoder stage saw last, then the recurrent layer's output."""
        weight = self.expand.weight
        bands, states = self.stft.bins, []
        for inputs in self._encoder_inputs:
            states.append(weight.new_zeros(batch, inputs, 1, bands))
            bands = (bands - 1) // 2 + 1
        return [*states, weight.new_zeros(batch, 1, self.expand.in_features)]

    def enhance_frames(self, spectrum: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Enhanced spectrum (B, K, bins) of the next K >= 1 frames, and the state after them."""
        x = self._features(spectrum)
        skips, after = [], []
        for stage, past in zip(self.encoder, state, strict=False):
            after.append(x[:, :, -1:])
            x = stage(x, past)
            skips.append(x)
        batch, channels, frames, bands = x.shape
        hidden = self.recurrent(x.permute(0, 2, 1, 3).reshape(batch, frames, channels * bands), state[-1])
        after.append(hidden[:, -1:])
        x = self.expand(hidden).reshape(batch, frames, channels, bands).permute(0, 2, 1, 3)
        for stage, skip in zip(self.decoder, reversed(skips), strict=True):
            x = stage(x + skip)
        mask = torch.complex(x[:, 0].to(spectrum.real.dtype), x[:, 1].to(spectrum.real.dtype))
        return spectrum * mask, after

    def _features(self, spectrum: Tensor) -> Tensor:
        """(B, 3, K, bins): compressed real part, imaginary part and magnitude."""
        power = spectrum.real.square() + spectrum.imag.square() + _EPS
        gain = power ** ((self.compression - 1) / 2)
        return torch.stack((spectrum.real * gain, spectrum.imag * gain, power * gain / power.sqrt()), dim=1)


class _Encode(nn.Module):
    """One stage: (B, A, K, W) -> (B, C, K, (W - 1) // 2 + 1), seeing this frame and the one before."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, (2, 3), stride=(1, 2), padding=(0, 1), bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.activation = nn.LeakyReLU(_SLOPE)

    def forward(self, x: Tensor, past: Tensor) -> Tensor:
        y: Tensor = self.activation(self.norm(self.conv(torch.cat((past.to(x.dtype), x), dim=2))))
        return y


class _Recurrent(nn.Module):
    """(B, K, I) -> (B, K, hidden). The output of the last frame is the state, so nothing else needs to be returned."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.gru = nn.GRU(inputs, hidden, batch_first=True)

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        y: Tensor = self.gru(x, state.to(x.dtype).transpose(0, 1).contiguous())[0]
        return y


class _Decode(nn.Module):
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
        y: Tensor = self.conv(x)
        batch, channels, frames, width = y.shape
        y = y.reshape(batch, channels // 2, 2, frames, width).permute(0, 1, 3, 4, 2)
        finished: Tensor = self.finish(y.reshape(batch, channels // 2, frames, 2 * width)[..., : self.bands])
        return finished
