"""Merging bins of a spectrum into bands of equal width on the ERB-rate scale.

Glasberg and Moore, "Derivation of auditory filter shapes from notched-noise data", Hearing Research 1990.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cmkt.errors import ConfigError


def merging_weights(bins: int, linear_bins: int, bands: int, sample_rate: int) -> Tensor:
    """(bins - linear_bins, bands) float64: triangles over the bins from `linear_bins` up, the sum over bands is 1.

    `bins` reach from 0 Hz to half of `sample_rate`. Band centres go from the first merged bin to the last.
    Raises ConfigError when some band would get no bin, or there are fewer than two.
    """
    merged = bins - linear_bins
    if linear_bins < 0 or not 2 <= bands <= merged:
        raise ConfigError(
            f"`merged_bands` must be between 2 and the {max(merged, 0)} bins above `linear_bins`, but is {bands} "
            f"instead ({bins} bins, {linear_bins} linear)."
        )
    rate = erb_rate(torch.arange(linear_bins, bins, dtype=torch.float64) * sample_rate / 2 / (bins - 1))
    position = (rate - rate[0]) / (rate[-1] - rate[0]) * (bands - 1)
    weights = (1 - (position[:, None] - torch.arange(bands, dtype=torch.float64)).abs()).clamp_min(0)
    if bool((weights.sum(0) == 0).any()):
        raise ConfigError(
            f"`merged_bands` must leave every band a bin, but {bands} bands over {merged} bins do not. "
            "Lower it, or raise `linear_bins`."
        )
    return weights


def erb_rate(hz: Tensor) -> Tensor:
    """Number of equivalent rectangular bandwidths below each frequency in Hz."""
    return 21.4 * torch.log10(1 + 0.00437 * hz)
