"""Mean absolute error of waveforms."""

from __future__ import annotations

from typing import final

from torch import Tensor, nn

from cmkt.losses.masking import sample_mask


@final
class WaveformMAE(nn.Module):
    """Mean over real samples of |x - y|; lower is better.

    Shapes: estimate and reference (B, T), lengths (B,) in samples or None; gives a scalar.
    """

    def forward(self, *, estimate: Tensor, reference: Tensor, lengths: Tensor | None = None) -> Tensor:
        mask = sample_mask(reference.float(), lengths)
        error: Tensor = ((estimate.float() - reference.float()).abs() * mask).sum() / mask.sum().clamp_min(1.0)
        return error
