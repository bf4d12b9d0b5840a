"""Causal alignment: the query of a token is made of strictly earlier tokens of a causal language model.

A vector of a causal model depends on its own token and those before, so z_(t-1) is a summary of everything before
token t and holds nothing of it. What the query can still give away is what the past predicts of the next token; its
blind floor is measured, not zero. Ours, not the paper's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import nn

from cmkt.errors import ConfigError
from cmkt.transfer.alignment import judge, seeded_build
from cmkt.transfer.bridge import Bridge
from cmkt.transfer.shift import shift_tokens
from cmkt.types import Aligned, Frames, Teacher, Tokens


@final
class CausalAlignment(nn.Module):
    """Module of `Causal`: the bridge, which is asked with earlier tokens' vectors at the token's own position."""

    def __init__(self, bridge: Bridge, delay: int) -> None:
        super().__init__()
        self.bridge = bridge
        self.delay = delay

    def forward(self, frames: Frames, tokens: Tokens, generator: torch.Generator | None = None) -> Aligned:
        """Distance of every token to what was read for (z_(t-delay), position of t).

        The first `delay` tokens have nothing before them: their vector is zero, which after its norm is a learned one,
        so they are supervised by position alone and all tokens count.
        """
        del generator
        earlier = Tokens(values=shift_tokens(tokens.values, self.delay), mask=tokens.mask)
        estimate, matrix = self.bridge(frames, earlier)
        return judge(estimate, matrix, target=tokens.values, counted=tokens.mask & frames.mask.any(dim=1, keepdim=True))


@dataclass(frozen=True)
class Causal:
    """Specification of the causal alignment, for decoder-only language models.

    delay: how many tokens before its target a query's vector is, 1 or more; heads: attention heads; width: of queries,
    keys and values, a multiple of `heads`.

    Differs from `Attention(shift=Shift(tokens=1))` in two things: the query has the position of its target, and a
    teacher that looks ahead is refused.
    """

    delay: int = 1
    heads: int = 4
    width: int = 128

    def __post_init__(self) -> None:
        if self.delay < 1:
            raise ConfigError(
                f"`delay` of Causal must be 1 token or more, or the query holds its own answer, but is {self.delay}."
            )

    def check_teacher(self, teacher: Teacher) -> None:
        """Raises ConfigError unless the teacher says that no vector of its depends on a later token."""
        causal = getattr(teacher, "causal", None)
        if causal is None:
            raise ConfigError(
                "`teacher` must say whether it is causal for this alignment, but "
                f"{type(teacher).__name__} {teacher.identity} does not. A store from before stores recorded it learns "
                "it from `cmkt embed`, run again with the same language model and --output; a class of your own needs "
                "the attribute `causal`."
            )
        if not causal:
            raise ConfigError(
                f"`teacher` must be causal for this alignment, but {teacher.identity} is bidirectional: its vectors of "
                "earlier tokens already hold later ones, so the query would leak its answer. Use a decoder-only "
                "language model, or the alignment Positional, which leaks nothing with any teacher."
            )

    def build(self, frame_width: int, token_width: int, *, seed: int) -> CausalAlignment:
        """A fresh alignment module whose weights depend on `seed` only.

        Raises: ConfigError when `width` is not a multiple of `heads`.
        """
        with seeded_build(seed):
            bridge = Bridge(frame_width, token_width, width=self.width, heads=self.heads)
        return CausalAlignment(bridge, self.delay)
