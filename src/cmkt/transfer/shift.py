"""Shift: the controlled misalignment of text and frames (arXiv 2503.07078; the amounts are our reading).

Why it helps: a query made from z_t lets the alignment copy the answer from the question. Under a shift the question is
another token's, so more of the answer has to come from the frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from cmkt.errors import ConfigError


@dataclass(frozen=True)
class Shift:
    """How far text and frames are displaced; the default is no displacement.

    tokens: k, the query of token t-k (its vector and its position) supervises target t; tokens whose partner does not
    exist leave the loss. Negative values ask later tokens.
    frames: an amount in frames, or (a, b) to draw one uniformly from a to b inclusive for each utterance. Positive
    amounts delay the frames; what leaves the utterance is masked, and padding never comes in.

    Neither final nor slotted, as `Attention`: jsonargparse cannot show an instance of such a class as a default.
    """

    tokens: int = 0
    frames: int | tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        low, high = self.frame_range
        if low > high:
            raise ConfigError(
                f"`frames` of Shift must be an int or (low, high) with low <= high, but is {self.frames!r} instead."
            )

    @property
    def frame_range(self) -> tuple[int, int]:
        """The smallest and largest displacement in frames."""
        if isinstance(self.frames, int):
            return self.frames, self.frames
        low, high = self.frames
        return int(low), int(high)

    def draw_frames(self, batch: int, *, generator: torch.Generator | None, device: torch.device) -> Tensor | None:
        """One displacement in frames for each utterance, (B,) int64 on `device`; None where all are zero.

        Draws come from `generator`, on whichever device it lives, and only when the range holds more than one amount.
        Raises: ConfigError when a draw is needed and no generator was given.
        """
        low, high = self.frame_range
        if low == high:
            return torch.full((batch,), low, device=device) if low else None
        if generator is None:
            raise ConfigError(
                f"`generator` must be given because Shift(frames={self.frames!r}) is drawn, but is None instead."
            )
        drawn = torch.randint(low, high + 1, (batch,), generator=generator, device=generator.device)
        return drawn.to(device)


def shift_tokens(values: Tensor, tokens: int) -> Tensor:
    """Row t of the result is row t - tokens of `values`; rows without a partner are zero (False).

    Shape: (B, N, ...) -> (B, N, ...). Stays connected to the graph even when every row leaves.
    """
    if tokens == 0:
        return values
    count = values.shape[1]
    amount = min(abs(tokens), count)
    tail = (0, 0) * (values.ndim - 2)
    if tokens > 0:
        return functional.pad(values[:, : count - amount], (*tail, amount, 0))
    return functional.pad(values[:, amount:], (*tail, 0, amount))


def displace_mask(mask: Tensor, displacement: Tensor | None) -> Tensor:
    """The frames that are still inside their utterance after `displacement`.

    Shape: mask (B, F) bool, displacement (B,) frames -> (B, F) bool. A frame i that moves to i + d stays when
    0 <= i + d < the number of valid frames.
    """
    if displacement is None:
        return mask
    moved = torch.arange(mask.shape[1], device=mask.device) + displacement[:, None]
    return mask & (moved >= 0) & (moved < mask.sum(dim=1, keepdim=True))
