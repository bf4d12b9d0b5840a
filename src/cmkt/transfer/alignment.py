"""What every alignment is: a frozen specification that builds a module, and the one calculation they share.

A specification knows no widths, so it can stand in a configuration; `build` makes the trainable module once the widths
of frames and tokens are known. The module is called as `(frames, tokens, generator)` and gives `Aligned`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional

COSINE_EPS = 1e-8


@runtime_checkable
class AlignmentSpec(Protocol):
    """A frozen description of an alignment, comparable and printable."""

    def build(self, frame_width: int, token_width: int, *, seed: int) -> nn.Module:
        """A fresh module `(Frames, Tokens, generator: torch.Generator | None = None) -> Aligned`.

        Its initial weights depend on `seed` alone, and building it leaves torch's random state as it was.
        """


@contextmanager
def seeded_build(seed: int) -> Iterator[None]:
    """Weights created inside depend on `seed` only; the global random state is as before when it ends."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # not torch.manual_seed, which would reseed accelerators as well
        yield


def cosine_distance(estimate: Tensor, target: Tensor, counted: Tensor) -> Tensor:
    """1 - cos between the vectors of each token, from 0 (same direction) to 2, lower is better.

    Shape: estimate (B, N, D), target (B, N, D), counted (B, N) bool -> (B, N) float32, zero where not counted.
    The target is a teacher's and receives no gradient.
    """
    cosine = functional.cosine_similarity(estimate.float(), target.detach().float(), dim=-1, eps=COSINE_EPS)
    return (1.0 - cosine).masked_fill(~counted, 0.0)
