"""The objective: L = alpha L_SE + (1 - alpha) L_CMA (arXiv 2503.07078)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from cmkt.errors import ConfigError
from cmkt.types import Aligned

Reduction = Literal["mean", "sum"]


def transfer_loss(aligned: Aligned, reduction: Reduction) -> Tensor:
    """L_CMA of a batch as a scalar, lower is better; a zero connected to the graph when no token is counted.

    "sum" is the paper's: sum of 1 - cos over an utterance's tokens, mean over the utterances that have any.
    "mean" averages over all counted tokens of the batch, so that the SE term is not drowned.
    Raises: ConfigError for another reduction.
    """
    total = aligned.distance.sum()
    if reduction == "mean":
        return total / aligned.counted.sum().clamp(min=1)
    if reduction == "sum":
        return total / aligned.counted.any(dim=1).sum().clamp(min=1)
    raise ConfigError(f"`reduction` must be 'mean' or 'sum', but is {reduction!r} instead.")


def combine(enhancement: Tensor, transfer: Tensor, alpha: float) -> Tensor:
    """L = alpha L_SE + (1 - alpha) L_CMA."""
    return alpha * enhancement + (1.0 - alpha) * transfer
