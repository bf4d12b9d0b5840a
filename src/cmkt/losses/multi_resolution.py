"""Multi-resolution STFT loss: errors of magnitude spectra with windows of several lengths.

Yamamoto, Song and Kim, "Parallel WaveGAN", ICASSP 2020, equations 3 to 6: no single window shows both when a sound
begins and which pitch it has, and an estimate that is right in one alone may be wrong in the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from cmkt.errors import ConfigError
from cmkt.losses.masking import frame_mask, masked_mean, sample_mask
from cmkt.spectral.stft import STFT

_EPS = 1e-7
"""Of power: magnitudes below about -70 dB of full scale are heard as silence by the logarithm."""


@final
class MultiResolutionSTFT(nn.Module):
    """Mean over windows of spectral convergence + mean |log |X| - log |Y||; lower is better.

    Spectral convergence is ‖|X| - |Y|‖ / ‖|Y|‖ over the real frames of each utterance, then the mean over utterances.
    windows_samples: of the windows, each with a hop of a quarter; at 16 kHz the default is 64, 32 and 16 ms.
    Shapes: estimate and reference (B, T), lengths (B,) in samples or None; gives a scalar.
    Raises: ConfigError without a window, or for one that is not a positive multiple of 4.
    """

    def __init__(self, windows_samples: Sequence[int] = (1024, 512, 256)) -> None:
        super().__init__()
        if not windows_samples or any(window < 4 or window % 4 for window in windows_samples):
            raise ConfigError(
                f"`windows_samples` must hold multiples of 4, such as 1024, 512, 256, but is {list(windows_samples)}."
            )
        self.stfts = nn.ModuleList(STFT(window, window // 4) for window in windows_samples)

    def forward(self, *, estimate: Tensor, reference: Tensor, lengths: Tensor | None = None) -> Tensor:
        mask = sample_mask(reference.float(), lengths)
        x, y = estimate.float() * mask, reference.float() * mask
        terms = [_at_one_resolution(x, y, stft, lengths) for stft in self.stfts if isinstance(stft, STFT)]
        return torch.stack(terms).mean()


def _at_one_resolution(estimate: Tensor, reference: Tensor, stft: STFT, lengths: Tensor | None) -> Tensor:
    x, y = _magnitude(estimate, stft), _magnitude(reference, stft)
    mask = frame_mask(y, stft, lengths)
    difference, own = (_norm((each * mask).flatten(1)) for each in (x - y, y))
    return (difference / own).mean() + masked_mean((x.log() - y.log()).abs(), mask)


def _magnitude(waveform: Tensor, stft: STFT) -> Tensor:
    spectrum = stft.analyse(waveform)
    return (spectrum.real.square() + spectrum.imag.square() + _EPS).sqrt()


def _norm(values: Tensor) -> Tensor:
    return (values.square().sum(dim=1) + _EPS).sqrt()
