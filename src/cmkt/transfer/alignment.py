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

from cmkt.transfer.shift import displace_mask, shift_tokens
from cmkt.types import Aligned, Frames, Teacher, Tokens

COSINE_EPS = 1e-8


@runtime_checkable
class AlignmentSpec(Protocol):
    """A frozen description of an alignment, comparable and printable."""

    def build(self, frame_width: int, token_width: int, *, seed: int) -> nn.Module:
        """A fresh module `(Frames, Tokens, generator: torch.Generator | None = None) -> Aligned`.

        Its initial weights depend on `seed` alone, and building it leaves torch's random state as it was.
        """


@runtime_checkable
class Progressive(Protocol):
    """An alignment's module that changes over training, as one with a schedule of its shift does."""

    def at_step(self, step: int) -> None:
        """What it is called for next comes after so many training passes. It keeps that; no state_dict has it."""


@runtime_checkable
class Particular(Protocol):
    """An alignment that does not work with every teacher."""

    def check_teacher(self, teacher: Teacher) -> None:
        """Raises ConfigError, with the reason, for a teacher that it cannot work with."""


def check_teacher(alignment: AlignmentSpec, teacher: Teacher) -> None:
    """Asks an alignment that does not take every teacher whether it takes this one.

    Raises: ConfigError when it does not.
    """
    if isinstance(alignment, Particular):
        alignment.check_teacher(teacher)


def say_step(module: nn.Module, step: int) -> None:
    """Tells an alignment's module after how many training passes it is called, where it wants to know."""
    if isinstance(module, Progressive):
        module.at_step(step)


@contextmanager
def seeded_build(seed: int) -> Iterator[None]:
    """Weights created inside depend on `seed` only; the global random state is as before when it ends."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # not torch.manual_seed, which would reseed accelerators as well
        yield


def judge(estimate: Tensor, matrix: Tensor, *, target: Tensor, counted: Tensor) -> Aligned:
    """What an alignment gives once it has read the frames: distances to the targets, zeros where not counted.

    Shape: estimate and target (B, N, D), matrix (B, N, F), counted (B, N) bool.
    """
    distance = cosine_distance(estimate, target, counted)
    return Aligned(distance=distance, counted=counted, matrix=matrix.masked_fill(~counted[..., None], 0.0))


def judge_shifted(
    estimate: Tensor,
    matrix: Tensor,
    *,
    frames: Frames,
    tokens: Tokens,
    moved: int | Tensor,
    displacement: Tensor | None,
) -> Aligned:
    """As `judge`, where the query of token t - moved supervises target t and frames were displaced.

    Shape: estimate (B, N, D), matrix (B, N, F), moved one number or (B,), displacement (B,) or None. Tokens without a
    partner, and utterances of which no frame is left inside, are not counted.
    """
    readable = displace_mask(frames.mask, displacement).any(dim=1, keepdim=True)
    counted = tokens.mask & shift_tokens(tokens.mask, moved) & readable
    estimate, matrix = shift_tokens(estimate, moved), shift_tokens(matrix, moved)
    return judge(estimate, matrix, target=tokens.values, counted=counted)


def cosine_distance(estimate: Tensor, target: Tensor, counted: Tensor) -> Tensor:
    """1 - cos between the vectors of each token, from 0 (same direction) to 2, lower is better.

    Shape: estimate (B, N, D), target (B, N, D), counted (B, N) bool -> (B, N) float32, zero where not counted.
    The target is a teacher's and receives no gradient.
    """
    cosine = functional.cosine_similarity(estimate.float(), target.detach().float(), dim=-1, eps=COSINE_EPS)
    return (1.0 - cosine).masked_fill(~counted, 0.0)
