"""The batches of a whole run as one stream, so that a position in training is one number.

Epoch by epoch, a run resumed after n batches continues with batch n, however many loader processes had read ahead and
wherever in an epoch it stopped: n comes from the training loop, which knows what was trained on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar, final

from torch.utils.data import Sampler

Item = TypeVar("Item")


class EpochBatches(Protocol[Item]):
    """What draws the batches of an epoch, the same number in each."""

    def __len__(self) -> int:
        """Batches of an epoch."""

    def batches(self, epoch: int) -> list[list[Item]]:
        """What is in every batch of the epoch."""


@final
class BatchStream(Sampler[list[Item]], Generic[Item]):
    """Every batch of every epoch of `sampler`, without end, from number `first` on.

    Has no length: the trainer's `max_steps` ends a run.
    """

    def __init__(self, sampler: EpochBatches[Item], first: int = 0) -> None:
        self.batches = sampler
        self.first = first

    def __iter__(self) -> Iterator[list[Item]]:
        epoch, offset = divmod(self.first, len(self.batches))
        while True:
            yield from self.batches.batches(epoch)[offset:]
            epoch, offset = epoch + 1, 0
