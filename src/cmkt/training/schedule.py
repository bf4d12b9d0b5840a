"""The learning rate over a run: a linear rise, then half a cosine down to a floor.

Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017, equation 5, without restarts.
"""

from __future__ import annotations

import math


def learning_rate_factor(step: int, *, warmup_steps: int, total_steps: int, floor: float) -> float:
    """Share of the peak learning rate at an optimizer step, between 0 and 1; `floor` from `total_steps` on.

    >>> [learning_rate_factor(s, warmup_steps=2, total_steps=6, floor=0.0) for s in (0, 1, 2, 4, 6)]
    [0.5, 1.0, 1.0, 0.5, 0.0]
    """
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = min(1.0, (step - warmup_steps) / max(1, total_steps - warmup_steps))
    return floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * progress))
