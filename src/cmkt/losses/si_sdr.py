"""Negative scale-invariant signal-to-distortion ratio.

Le Roux et al., "SDR - half-baked or well done?", ICASSP 2019.
"""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from cmkt.losses.masking import sample_mask

_EPS = 1e-8


@final
class SISDR(nn.Module):
    """Mean over utterances of -SI-SDR in dB, lower is better. An utterance whose reference is silent counts zero.

    Shapes: estimate and reference (B, T), lengths (B,) in samples or None; gives a scalar.
    """

    def forward(self, *, estimate: Tensor, reference: Tensor, lengths: Tensor | None = None) -> Tensor:
        mask = sample_mask(reference, lengths)
        x, y = estimate.float() * mask, reference.float() * mask
        energy = y.square().sum(-1, keepdim=True)
        projected = (x * y).sum(-1, keepdim=True) / energy.clamp_min(_EPS) * y
        target, error = projected.square().sum(-1), (x - projected).square().sum(-1)
        ratio_db = 10 * torch.log10((target + _EPS) / (error + _EPS))
        return -torch.where(energy[:, 0] > _EPS, ratio_db, ratio_db.new_zeros(())).mean()
