"""Entropic optimal transport between tokens and frames, in the log domain (Cuturi 2013; Peyre and Cuturi 2019, 4.4).

Legend: B utterances, N tokens, F frames.

    gamma = argmin  <C, gamma> + eps KL(gamma || P)     over plans whose rows sum to 1/n and columns to 1/m
    log K = log P - C / eps,   v = log(1/m) - LSE_t(log K + u),   u = log(1/n) - LSE_f(log K + v)
    M_t   = n gamma_t = softmax_f(log K + v)

n tokens and m frames are those of each utterance. The prior P keeps its strength whatever eps is.
"""

from __future__ import annotations

import torch
from torch import Tensor

EXCLUDED = -1e9
"""Log weight of what is masked: finite, so that a row or column with nothing in it makes no NaN."""


@torch.no_grad()
def transport_rows(
    cost: Tensor, log_prior: Tensor, *, tokens: Tensor, frames: Tensor, entropy: float | Tensor, iterations: int
) -> Tensor:
    """Where each token's mass comes from: the plan with every row scaled to one. No gradient flows through it.

    Shape: cost and log_prior (B, N, F), tokens (B, N) bool, frames (B, F) bool -> (B, N, F) float32. Rows sum to one
    exactly; columns to n / m as nearly as the iterations got. Padding frames have weight zero; rows of padding tokens,
    and of utterances without a frame, are meaningless but finite.

    entropy: eps, in the unit of the cost; iterations: pairs of updates.
    """
    log_kernel = log_prior.float() - cost.float() / entropy
    log_kernel = log_kernel.masked_fill(~(tokens[:, :, None] & frames[:, None, :]), EXCLUDED)
    log_row = -tokens.sum(dim=1, keepdim=True).clamp(min=1).float().log()
    log_column = -frames.sum(dim=1, keepdim=True).clamp(min=1).float().log()
    row = torch.zeros(tokens.shape, device=cost.device)
    column = torch.zeros(frames.shape, device=cost.device)
    for _ in range(iterations):
        column = (log_column - (log_kernel + row[:, :, None]).logsumexp(dim=1)).masked_fill(~frames, EXCLUDED)
        row = (log_row - (log_kernel + column[:, None, :]).logsumexp(dim=2)).masked_fill(~tokens, EXCLUDED)
    return (log_kernel + column[:, None, :]).softmax(dim=2)


def temporal_log_prior(tokens: Tensor, frames: Tensor, *, width: float, displacement: Tensor | None = None) -> Tensor:
    """Log of a Gaussian band along the diagonal: -(tau_t - tau_f)^2 / (2 width^2), up to a constant.

    tau is the relative position in an utterance, (index + 1/2) / count, of tokens and of (displaced) frames; width is
    in the same unit, so that 0.1 is a tenth of the utterance. Order-preserving transport uses such a band (Su and Hua
    2017; arXiv 2409.02239).

    Shape: tokens (B, N) bool, frames (B, F) bool, displacement (B,) in frames -> (B, N, F) float32.
    """
    moved = None if displacement is None else displacement[:, None]
    distance = _relative(tokens)[:, :, None] - _relative(frames, moved)[:, None, :]
    return distance.square() / (-2.0 * width**2)


def _relative(mask: Tensor, moved: Tensor | None = None) -> Tensor:
    index = torch.arange(mask.shape[1], device=mask.device, dtype=torch.float32)[None] + 0.5
    if moved is not None:
        index = index + moved
    return index / mask.sum(dim=1, keepdim=True).clamp(min=1)
