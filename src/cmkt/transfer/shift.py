"""Shift: the controlled misalignment of text and frames (arXiv 2503.07078; the amounts are our reading).

Why it helps: a query made from z_t lets the alignment copy the answer from the question. Under a shift the question is
another token's, so more of the answer has to come from the frames.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from cmkt.errors import ConfigError
from cmkt.transfer.shift_schedule import Amount, ShiftChange, amount_at, amount_range, check_amount, check_order


@dataclass(frozen=True)
class Shift:
    """How far text and frames are displaced; the default is no displacement.

    tokens: k, the query of token t-k (its vector and its position) supervises target t; tokens whose partner does not
    exist leave the loss. Negative values ask later tokens. (a, b) draws k uniformly from a to b inclusive for each
    utterance.
    frames: an amount in frames, or (a, b) to draw one uniformly from a to b inclusive for each utterance. Positive
    amounts delay the frames; what leaves the utterance is masked, and padding never comes in.
    changes: a schedule over training, amounts that later steps reach; none by default.

    Neither final nor slotted, as `Attention`: jsonargparse cannot show an instance of such a class as a default.
    """

    tokens: Amount = 0
    frames: Amount = (0, 0)
    changes: tuple[ShiftChange, ...] = ()

    def __post_init__(self) -> None:
        for name in ("tokens", "frames"):
            check_amount(getattr(self, name), f"`{name}` of Shift")
        check_order(self.changes)

    def at(self, step: int) -> Shift:
        """The shift, without a schedule, after so many training passes: the same in every run and after any resume."""
        if not self.changes:
            return self
        tokens = amount_at(self.tokens, [(change.step, change.tokens) for change in self.changes], step)
        frames = amount_at(self.frames, [(change.step, change.frames) for change in self.changes], step)
        return replace(self, tokens=tokens, frames=frames, changes=())

    def draw_tokens(self, batch: int, *, generator: torch.Generator | None, device: torch.device) -> int | Tensor:
        """k, or one k for each utterance, (B,) int64 on `device`, where it is drawn. Draws as `draw_frames`."""
        low, high = amount_range(self.tokens)
        return low if low == high else self._draw(low, high, batch, generator).to(device)

    def draw_frames(self, batch: int, *, generator: torch.Generator | None, device: torch.device) -> Tensor | None:
        """One displacement in frames for each utterance, (B,) int64 on `device`; None where all are zero.

        Draws come from `generator`, on whichever device it lives, and only when the range holds more than one amount.
        Raises: ConfigError when a draw is needed and no generator was given.
        """
        low, high = amount_range(self.frames)
        if low == high:
            return torch.full((batch,), low, device=device) if low else None
        return self._draw(low, high, batch, generator).to(device)

    def _draw(self, low: int, high: int, batch: int, generator: torch.Generator | None) -> Tensor:
        if generator is None:
            raise ConfigError(f"`generator` must be given because {self!r} is drawn, but is None instead.")
        return torch.randint(low, high + 1, (batch,), generator=generator, device=generator.device)


def shift_tokens(values: Tensor, tokens: int | Tensor) -> Tensor:
    """Row t of the result is row t - tokens of `values`; rows without a partner are zero (False).

    Shape: values (B, N, ...), tokens one number or (B,) -> (B, N, ...). Stays connected to the graph even when every
    row leaves.
    """
    if isinstance(tokens, Tensor):
        return _shift_each(values, tokens)
    if tokens == 0:
        return values
    count = values.shape[1]
    amount = min(abs(tokens), count)
    tail = (0, 0) * (values.ndim - 2)
    if tokens > 0:
        return functional.pad(values[:, : count - amount], (*tail, amount, 0))
    return functional.pad(values[:, amount:], (*tail, 0, amount))


def _shift_each(values: Tensor, tokens: Tensor) -> Tensor:
    count = values.shape[1]
    source = torch.arange(count, device=values.device) - tokens[:, None]
    trailing = (1,) * (values.ndim - 2)
    index = source.clamp(0, max(count - 1, 0)).reshape(*source.shape, *trailing).expand_as(values)
    exists = ((source >= 0) & (source < count)).reshape(*source.shape, *trailing)
    return values.gather(1, index).masked_fill(~exists, 0)


def displace_mask(mask: Tensor, displacement: Tensor | None) -> Tensor:
    """The frames that are still inside their utterance after `displacement`.

    Shape: mask (B, F) bool, displacement (B,) frames -> (B, F) bool. A frame i that moves to i + d stays when
    0 <= i + d < the number of valid frames.
    """
    if displacement is None:
        return mask
    moved = torch.arange(mask.shape[1], device=mask.device) + displacement[:, None]
    return mask & (moved >= 0) & (moved < mask.sum(dim=1, keepdim=True))
