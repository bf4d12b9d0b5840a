from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor, nn

from cmkt.testing.alignment import check_alignment
from cmkt.transfer.alignment import AlignmentSpec, cosine_distance
from cmkt.transfer.attention import Attention
from cmkt.transfer.bridge import Bridge
from cmkt.transfer.causal import Causal
from cmkt.transfer.positional import Positional
from cmkt.transfer.shift import Shift
from cmkt.transfer.shift_schedule import ShiftChange
from cmkt.transfer.sinkhorn import Sinkhorn
from cmkt.types import Aligned, Frames, Tokens

Change = Callable[["Sound", Frames, Tokens], Aligned]


class Sound(nn.Module):
    """Keeps the contract unless its forward is replaced."""

    def __init__(self, bridge: Bridge, change: Change | None) -> None:
        super().__init__()
        self.bridge = bridge
        self.change = change

    def align(self, frames: Frames, tokens: Tokens, leak: Tensor | float = 0.0) -> Aligned:
        estimate, matrix = self.bridge(frames, tokens)
        distance = cosine_distance(estimate + leak, tokens.values, tokens.mask)
        return Aligned(distance, tokens.mask, matrix * tokens.mask[..., None])

    def forward(self, frames: Frames, tokens: Tokens, generator: torch.Generator | None = None) -> Aligned:
        return self.align(frames, tokens) if self.change is None else self.change(self, frames, tokens)


@dataclass(frozen=True)
class Spec:
    change: Change | None = None

    def build(self, frame_width: int, token_width: int, *, seed: int) -> Sound:
        return Sound(Attention().build(frame_width, token_width, seed=seed).bridge, self.change)


def residual(module: Sound, frames: Frames, tokens: Tokens) -> Aligned:
    return module.align(frames, tokens, leak=0.1 * tokens.values.detach())


def teaching(module: Sound, frames: Frames, tokens: Tokens) -> Aligned:
    aligned = module.align(frames, tokens)
    return replace(aligned, distance=aligned.distance + 0.0 * tokens.values.sum(dim=-1) ** 2 + _reach(tokens))


def _reach(tokens: Tokens) -> Tensor:
    """Zero, with a gradient to the teacher."""
    reach = tokens.values.sum(dim=-1) * 1e-3
    return (reach - reach.detach()) * tokens.mask


def padded(module: Sound, frames: Frames, tokens: Tokens) -> Aligned:
    return module.align(replace(frames, mask=torch.ones_like(frames.mask)), tokens)


def mixed_rows(module: Sound, frames: Frames, tokens: Tokens) -> Aligned:
    return module.align(replace(frames, values=frames.values - frames.values[:1, :1].detach()), tokens)


def random_values(module: Sound, frames: Frames, tokens: Tokens) -> Aligned:
    return module.align(replace(frames, values=frames.values + torch.randn(())), tokens)


def disconnected(module: Sound, frames: Frames, tokens: Tokens) -> Aligned:
    aligned = module.align(frames, tokens)
    return aligned if tokens.mask.any() else replace(aligned, distance=aligned.distance.detach())


def detached_frames(module: Sound, frames: Frames, tokens: Tokens) -> Aligned:
    return module.align(replace(frames, values=frames.values.detach()), tokens)


def counts_padding(module: Sound, frames: Frames, tokens: Tokens) -> Aligned:
    return replace(module.align(frames, tokens), counted=torch.ones_like(tokens.mask))


def half_distances(module: Sound, frames: Frames, tokens: Tokens) -> Aligned:
    aligned = module.align(frames, tokens)
    return replace(aligned, distance=aligned.distance.to(frames.values.dtype))


ALIGNMENTS: list[AlignmentSpec] = [
    Attention(),
    Attention(heads=1, width=8),
    Attention(shift=Shift(tokens=1)),
    Attention(shift=Shift(tokens=-2, frames=(-5, 5))),
    Attention(shift=Shift(tokens=(0, 2), frames=3)),
    Attention(shift=Shift(tokens=1, frames=(-3, 3), changes=(ShiftChange(step=9, tokens=2),))),
    Positional(),
    Positional(heads=1, width=8),
    Causal(),
    Causal(delay=3),
    Sinkhorn(),
    Sinkhorn(entropy=0.01, prior_width=1.0, iterations=30),
    Sinkhorn(shift=Shift(tokens=1, frames=(-5, 5))),
]
"""Every alignment of the package, each with the settings that change its course."""


@pytest.mark.parametrize("spec", ALIGNMENTS, ids=str)
def test_every_alignment_keeps_the_contract(spec: AlignmentSpec) -> None:
    check_alignment(spec)


def test_a_sound_alignment_passes() -> None:
    check_alignment(Spec())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (residual, "the query leaks into the output"),
        (teaching, "no gradient may reach the teacher"),
        (padded, "padding frames must have no weight"),
        (mixed_rows, "must not depend on its batch"),
        (random_values, "must"),
        (disconnected, "connected to the graph"),
        (detached_frames, "a gradient must reach the frames"),
        (counts_padding, "padding must not be counted"),
        (half_distances, "must be float32 under autocast"),
    ],
)
def test_each_breach_of_the_contract_is_found(change: Change, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_alignment(Spec(change))
