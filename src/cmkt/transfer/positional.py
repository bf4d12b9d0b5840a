"""Positional alignment: attention whose queries know where a token stands and how many there are, not which it is.

Nothing of the teacher's vectors enters, so the answer cannot leak from the question: whatever lowers the loss below
that of the mean direction, beyond what position and count tell of a vector, was read from the frames. Ours, not the
paper's; it is `Attention` without P_q LN(z_t).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from cmkt.transfer.alignment import judge, seeded_build
from cmkt.transfer.reading import FrameReader, check_heads, spread_over_time
from cmkt.transfer.time_encoding import POSITION_FEATURES, TIME_FEATURES, encode_position
from cmkt.types import Aligned, Frames, Tokens


@final
class PositionalBridge(FrameReader):
    """Cross-attention into frames with the query q_t = P_p position(t, n) + b + P_s seconds(expected time of t).

    Raises: ConfigError when `width` is not a multiple of `heads`.
    """

    def __init__(self, frame_width: int, token_width: int, *, width: int, heads: int) -> None:
        super().__init__()
        check_heads(width, heads)
        self.heads = heads
        self.frame_norm = nn.LayerNorm(frame_width)
        self.keys = nn.Linear(frame_width, width, bias=False)
        self.values = nn.Linear(frame_width, width, bias=False)
        self.position = nn.Linear(POSITION_FEATURES, width)
        self.time = nn.Linear(TIME_FEATURES, width, bias=False)
        self.output = nn.Linear(width, token_width)
        spread_over_time(self.time, heads)

    def forward(self, frames: Frames, mask: Tensor) -> tuple[Tensor, Tensor]:
        """What is read for each token, and from where: `FrameReader.read`. It is given the mask and no vectors.

        Shape: mask (B, N) bool -> zhat (B, N, D), matrix (B, N, F).
        """
        features, relative = encode_position(mask)
        return self.read(self.position(features) + self.expected_time(relative, frames), frames)


@final
class PositionalAlignment(nn.Module):
    """Module of `Positional`."""

    def __init__(self, bridge: PositionalBridge) -> None:
        super().__init__()
        self.bridge = bridge

    def forward(self, frames: Frames, tokens: Tokens, generator: torch.Generator | None = None) -> Aligned:
        """Distance of every token to what was read at its place; the vectors are targets only."""
        del generator
        estimate, matrix = self.bridge(frames, tokens.mask)
        return judge(estimate, matrix, target=tokens.values, counted=tokens.mask & frames.mask.any(dim=1, keepdim=True))


@dataclass(frozen=True)
class Positional:
    """Specification of the positional alignment: queries know position and token count only, so that none can leak.

    heads: attention heads; width: of queries, keys and values, a multiple of `heads`.
    """

    heads: int = 4
    width: int = 128

    def build(self, frame_width: int, token_width: int, *, seed: int) -> PositionalAlignment:
        """A fresh alignment module whose weights depend on `seed` only.

        Raises: ConfigError when `width` is not a multiple of `heads`.
        """
        with seeded_build(seed):
            bridge = PositionalBridge(frame_width, token_width, width=self.width, heads=self.heads)
        return PositionalAlignment(bridge)
