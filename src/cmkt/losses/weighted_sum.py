"""A weighted sum of losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from cmkt.errors import ConfigError


@final
class WeightedSum(nn.Module):
    """Sum of weights[i] * losses[i]. Raises ConfigError unless there is one weight for each loss.

    Shapes: estimate and reference (B, T), lengths (B,) in samples or None; gives a scalar.
    """

    def __init__(self, losses: Sequence[nn.Module], weights: Sequence[float]) -> None:
        super().__init__()
        if not losses or len(losses) != len(weights):
            raise ConfigError(
                f"`weights` must hold one number for each loss, but there are {len(losses)} losses "
                f"and {len(weights)} weights."
            )
        self.losses = nn.ModuleList(losses)
        self.weights = tuple(float(w) for w in weights)

    def forward(self, *, estimate: Tensor, reference: Tensor, lengths: Tensor | None = None) -> Tensor:
        terms = [
            weight * loss(estimate=estimate, reference=reference, lengths=lengths)
            for weight, loss in zip(self.weights, self.losses, strict=True)
        ]
        return torch.stack(terms).sum()
