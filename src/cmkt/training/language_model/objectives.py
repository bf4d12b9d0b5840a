"""What each model learns: the next character, or the characters behind masks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, final

import torch
from torch.nn import functional

from cmkt.text.language.tokenizer import BEGIN_ID, END_ID, MASK_ID, PAD_ID, SPECIAL

if TYPE_CHECKING:
    from torch import Tensor

KEPT_SHARE = 0.1
REPLACED_SHARE = 0.1
"""Of the characters to be guessed, these stay or become random ones, so that characters without a mask count too
(arXiv 1810.04805, section 3.1)."""

SAMPLED = 256
"""Characters that stand for all those that do not compete."""

EVERYTHING_FROM = 0.9
"""Share of the training after which all characters compete, as they do when the model is used."""


@final
class NextCharacter:
    """Mean negative log likelihood (nats) of every character and line end, given what stands before it.

    frequent: numbers of the characters that always compete; None for all. Others compete where the batch holds them; of
    the rest, a sample does for all, so that the softmax's sum is right on average (Jean et al. 2015, section 3.1).
    """

    def __init__(self, frequent: Tensor | None = None) -> None:
        self._frequent = frequent

    def __call__(self, model: Any, lines: Tensor, *, progress: float) -> Tensor:
        """lines: (B, L); progress: share of the training that is done."""
        states = model.model(input_ids=lines[:, :-1], use_cache=False).last_hidden_state
        wanted = lines[:, 1:]
        real = wanted != PAD_ID  # padding stands on the right, where a causal model does not look
        states, wanted, table = states[real], wanted[real], model.lm_head.weight
        if self._frequent is None or progress >= EVERYTHING_FROM:
            return functional.cross_entropy(functional.linear(states, table).float(), wanted)
        competing = torch.unique(torch.cat([wanted, self._frequent.to(wanted.device)]))
        places = torch.full((len(table),), -1, device=wanted.device)
        places[competing] = torch.arange(competing.numel(), device=wanted.device)
        logits = [functional.linear(states, table[competing])]
        rest = torch.nonzero(places < 0).squeeze(1)
        if rest.numel():
            sample = rest[torch.randperm(rest.numel(), device=rest.device)[:SAMPLED]]
            logits.append(functional.linear(states, table[sample]) + math.log(rest.numel() / sample.numel()))
        return functional.cross_entropy(torch.cat(logits, dim=-1).float(), places[wanted])


@final
class MaskedCharacter:
    """Mean negative log likelihood (nats) of the characters behind masks.

    share: of the characters that are guessed; torch's random state decides which. Of a batch in which the draw takes
    none, all are.
    """

    def __init__(self, share: float) -> None:
        self._share = share

    def __call__(self, model: Any, lines: Tensor, *, progress: float) -> Tensor:
        """lines: (B, L); progress plays no part."""
        del progress
        real = (lines != PAD_ID) & (lines != BEGIN_ID) & (lines != END_ID)
        draw = torch.rand(lines.shape, device=lines.device)
        share = self._share
        guessed = real & (draw < share)
        if not bool(guessed.any()):
            share, guessed = 1.0, real
        table = model.lm_head.weight
        random = torch.randint(len(SPECIAL), len(table), lines.shape, device=lines.device)
        within = draw / share
        seen = torch.where(guessed & (within >= KEPT_SHARE), MASK_ID, lines)
        seen = torch.where(guessed & (within >= 1 - REPLACED_SHARE), random, seen)
        states = model.model(input_ids=seen, attention_mask=(lines != PAD_ID).long()).last_hidden_state
        return functional.cross_entropy(functional.linear(states[guessed], table).float(), lines[guessed])
