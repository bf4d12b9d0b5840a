"""An attention map: which frames each token was read from. Needs no torch.

Shapes: N tokens, F frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

if TYPE_CHECKING:
    from cmkt.types import FloatArray


@final
@dataclass(frozen=True, slots=True)
class AttentionMap:
    """Which frames each token was read from: weights (N, F), rows sum to 1, or to 0 where a token was not asked for, as
    a shift leaves some; the tokens as their teacher spells them."""

    weights: FloatArray
    tokens: tuple[str, ...]


def effective_frames(weights: FloatArray) -> float:
    """The median over tokens of exp(entropy) of its weights: as many equal frames would be as spread out.

    >>> effective_frames(np.array([[0.5, 0.5, 0.0, 0.0]]))
    2.0
    """
    rows = weights[weights.sum(axis=1) > 0]
    if not len(rows):
        return 0.0
    share = rows / rows.sum(axis=1, keepdims=True)
    entropy = -np.sum(np.where(share > 0, share * np.log(np.maximum(share, 1e-300)), 0.0), axis=1)
    return float(round(float(np.median(np.exp(entropy))), 10))


def order(weights: FloatArray) -> float:
    """Spearman's correlation, -1 to 1, of the place of tokens and the mean time of their weights; 0 for fewer than 3.

    >>> order(np.eye(4))
    1.0
    """
    rows = weights[weights.sum(axis=1) > 0]
    if len(rows) < 3:
        return 0.0
    times = rows @ np.arange(rows.shape[1]) / rows.sum(axis=1)
    ranks = np.argsort(np.argsort(times))
    return float(round(float(np.corrcoef(np.arange(len(rows)), ranks)[0, 1]), 10))
