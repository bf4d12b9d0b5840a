"""Sinusoidal encodings of when something is: frames in seconds, tokens relative to their sentence."""

from __future__ import annotations

import math

import torch
from torch import Tensor

SHORTEST_PERIOD_S = 0.16
LONGEST_PERIOD_S = 80.0
TIME_SCALES = 16
TIME_FEATURES = 2 * TIME_SCALES

POSITION_SCALES = 8
POSITION_FEATURES = 2 * POSITION_SCALES + 1
LONGEST_SENTENCE = 512.0


def encode_seconds(seconds: Tensor) -> Tensor:
    """Sines and cosines of a time in seconds, with periods from 0.16 s to 80 s in geometric steps.

    Shape: (...) -> (..., 32) float32. The inner product of two encodings depends on the difference of their times only.
    """
    periods = torch.logspace(
        math.log10(SHORTEST_PERIOD_S), math.log10(LONGEST_PERIOD_S), TIME_SCALES, device=seconds.device
    )
    return _sinusoids(seconds.float(), 2 * math.pi / periods)


def encode_position(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Where each token stands in its sentence: features for a query, and the relative position itself.

    Shape: mask (B, N) bool -> features (B, N, 17), relative (B, N) in (0, 1). Token t of n stands at (t + 1/2) / n;
    the features are its sines and cosines with periods 2, 1, 1/2, ... and log(1 + n) scaled to about one.
    """
    count = mask.sum(dim=1, keepdim=True).clamp(min=1).float()
    index = torch.arange(mask.shape[1], device=mask.device, dtype=torch.float32)
    relative = ((index + 0.5) / count).clamp(max=1.0)
    rates = math.pi * 2.0 ** torch.arange(POSITION_SCALES, device=mask.device, dtype=torch.float32)
    size = (torch.log1p(count) / math.log(LONGEST_SENTENCE))[..., None].expand(-1, mask.shape[1], 1)
    return torch.cat([_sinusoids(relative, rates), size], dim=-1), relative


def _sinusoids(value: Tensor, rates: Tensor) -> Tensor:
    phase = value[..., None] * rates
    return torch.cat([phase.sin(), phase.cos()], dim=-1)
