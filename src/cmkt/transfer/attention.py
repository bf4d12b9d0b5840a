"""The paper's alignment: attention from text to frames, with a shift (arXiv 2503.07078; details are our reading)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import torch
from torch import nn

from cmkt.transfer.alignment import judge_shifted, seeded_build
from cmkt.transfer.bridge import Bridge
from cmkt.transfer.shift import Shift
from cmkt.types import Aligned, Frames, Tokens


@final
class AttentionAlignment(nn.Module):
    """Module of `Attention`: the bridge, with queries and frames displaced as the shift says."""

    def __init__(self, bridge: Bridge, shift: Shift) -> None:
        super().__init__()
        self.bridge = bridge
        self.schedule = shift
        self.shift = shift.at(0)

    def at_step(self, step: int) -> None:
        """From here on the shift is that after so many training passes."""
        self.shift = self.schedule.at(step)

    def forward(self, frames: Frames, tokens: Tokens, generator: torch.Generator | None = None) -> Aligned:
        """Distances of every target token to what the query of its partner reads; `matrix` is over original frames.

        A frame displaced by d is read where the alignment looks for time + d, so the matrix moves by -d.
        """
        batch, device = frames.mask.shape[0], frames.mask.device
        displacement = self.shift.draw_frames(batch, generator=generator, device=device)
        moved = self.shift.draw_tokens(batch, generator=generator, device=device)
        estimate, matrix = self.bridge(frames, tokens, displacement)
        return judge_shifted(estimate, matrix, frames=frames, tokens=tokens, moved=moved, displacement=displacement)


@dataclass(frozen=True)
class Attention:
    """Specification of the attention alignment.

    shift: the misalignment; heads: attention heads; width: of queries, keys and values, a multiple of `heads`.
    """

    shift: Shift = field(default_factory=Shift)
    heads: int = 4
    width: int = 128

    def build(self, frame_width: int, token_width: int, *, seed: int) -> AttentionAlignment:
        """A fresh alignment module whose weights depend on `seed` only.

        Raises: ConfigError when `width` is not a multiple of `heads`.
        """
        with seeded_build(seed):
            bridge = Bridge(frame_width, token_width, width=self.width, heads=self.heads)
        return AttentionAlignment(bridge, self.shift)
