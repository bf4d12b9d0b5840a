"""Token vectors of single transcripts, put side by side as one batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cmkt.errors import TextError
from cmkt.types import Tokens


def pad_tokens(vectors: Sequence[Tensor | None], width: int) -> Tokens:
    """A batch of teacher vectors, zero and masked where padded.

    vectors: one (N_i, D) tensor for each utterance, all on one device, or None for an utterance without text.
    width: D, needed because every utterance may be without text.

    Shape: values (B, N, D) float32 and mask (B, N) bool with N the largest N_i, or 0.
    Raises: TextError when a tensor is not (N_i, width).
    """
    lengths = [0 if item is None else len(item) for item in vectors]
    device = next((item.device for item in vectors if item is not None), torch.device("cpu"))
    longest = max(lengths, default=0)
    values = torch.zeros(len(vectors), longest, width, device=device)
    for row, item in enumerate(vectors):
        if item is None:
            continue
        if item.ndim != 2 or item.shape[1] != width:
            raise TextError(
                f"the vectors of text {row} must be (tokens, {width}), but are {tuple(item.shape)} instead."
            )
        values[row, : len(item)] = item
    mask = torch.arange(longest, device=device) < torch.tensor(lengths, device=device).unsqueeze(1)
    return Tokens(values=values, mask=mask)
