"""Batches of lines of similar length, each of about as many tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, final

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from cmkt.text.language.tokenizer import PAD_ID
from cmkt.text.tokenisation import batches_by_tokens

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cmkt.text.language.sequences import Sequences


@final
class LineBatches:
    """The batches of each epoch, drawn from (seed, epoch); their number is the same in every one.

    lengths: (L,) tokens of each line. batch_tokens: most tokens of a batch, padding included.
    """

    def __init__(self, lengths: NDArray[np.int64], *, batch_tokens: int, seed: int = 0) -> None:
        self._lengths = lengths
        self._batch_tokens = batch_tokens
        self._seed = seed
        self._count = len(batches_by_tokens(lengths.tolist(), batch_tokens))

    def __len__(self) -> int:
        """Batches of an epoch."""
        return self._count

    def batches(self, epoch: int) -> list[list[int]]:
        """The indices of lines of every batch."""
        rng = np.random.default_rng([self._seed, epoch])
        order = rng.permutation(self._lengths.size)  # lines of one length meet others in every epoch
        drawn = batches_by_tokens(self._lengths[order].tolist(), self._batch_tokens)
        return [order[drawn[place]].tolist() for place in rng.permutation(len(drawn))]


@final
class LineDataset(Dataset[Tensor]):
    """Lines by index, each as (L,) int64."""

    def __init__(self, sequences: Sequences) -> None:
        self._sequences = sequences

    def __len__(self) -> int:
        return len(self._sequences)

    def __getitem__(self, index: int) -> Tensor:
        return torch.from_numpy(self._sequences[index].astype(np.int64))


def padded(lines: Sequence[Tensor]) -> Tensor:
    """Lines side by side, (B, L) int64, padded on the right."""
    return torch.nn.utils.rnn.pad_sequence(list(lines), batch_first=True, padding_value=PAD_ID)
