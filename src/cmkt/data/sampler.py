"""Batches of utterances of similar length, the same in every run, and in a resumed one.

Which utterances share a batch is a pure function of (seed, epoch). Lightning calls `set_epoch` through the loader's
batch sampler, which it looks for under the name `sampler`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import final

import numpy as np
from torch.utils.data import Sampler

from cmkt.errors import ConfigError

Item = tuple[int, int]
"""(epoch, index)."""


def make_buckets(durations: Sequence[float], *, buckets: int) -> list[list[int]]:
    """Indices by duration in at most `buckets` groups of about equal total duration, shortest first."""
    order = sorted(range(len(durations)), key=lambda index: (durations[index], index))
    total = np.cumsum([durations[index] for index in order])
    groups = np.minimum((total - total[0] / 2) / total[-1] * buckets, buckets - 1).astype(int)
    return [
        [order[position] for position in np.flatnonzero(groups == group)]
        for group in range(buckets)
        if (groups == group).any()
    ]


def _check(durations: Sequence[float], batch_seconds: float, max_batch: int) -> None:
    if not durations:
        raise ConfigError("`durations` must hold at least one utterance, but is empty.")
    if batch_seconds <= 0 or max_batch < 1:
        raise ConfigError(f"`batch_seconds` and `max_batch` must be above 0, but are {batch_seconds} and {max_batch}.")
    if max(durations) > batch_seconds:
        raise ConfigError(
            f"`batch_seconds` must hold the longest utterance, {max(durations):.1f} s, but is {batch_seconds} s. "
            "Raise it, crop, or leave that utterance out."
        )


def _batch_size(durations: Sequence[float], bucket: Sequence[int], batch_seconds: float, max_batch: int) -> int:
    # With its padding, a batch of a bucket lasts at most as long as the bucket's longest utterance, times its size.
    return min(max(int(batch_seconds / durations[bucket[-1]]), 1), max_batch)


@final
class BucketBatchSampler(Sampler[list[Item]]):
    """Shuffled batches for training, each at most `batch_seconds` of audio including padding.

    Utterances are put into buckets by duration; every epoch shuffles within the buckets, cuts them into batches and
    shuffles the batches. `len` is the same in every epoch. Of `world_size` processes each takes every world_size-th
    batch from its rank on, and the tail that not all can have is left out.

    A pass over the sampler starts at the first batch, or where `load_state_dict` says; at its end the epoch advances.
    `set_epoch` chooses another. With loader processes `state_dict` runs ahead of training by the batches that are
    prefetched: a trainer stores {"epoch": e, "batches_done": batches it has trained on} instead.
    """

    def __init__(
        self,
        durations: Sequence[float],
        *,
        batch_seconds: float,
        seed: int = 0,
        buckets: int = 10,
        max_batch: int = 64,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        _check(durations, batch_seconds, max_batch)
        if not 0 <= rank < world_size:
            raise ConfigError(f"`rank` must be in [0, {world_size}), but is {rank} instead.")
        self._buckets = make_buckets(durations, buckets=buckets)
        self._sizes = [_batch_size(durations, bucket, batch_seconds, max_batch) for bucket in self._buckets]
        self._total = sum(-(-len(bucket) // size) for bucket, size in zip(self._buckets, self._sizes, strict=True))
        if self._total < world_size:
            raise ConfigError(f"{self._total} batches are too few for {world_size} processes. Lower `batch_seconds`.")
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.epoch = 0
        self._first = 0
        self._done = 0

    @property
    def sampler(self) -> BucketBatchSampler:
        """Itself, so that Lightning finds `set_epoch`."""
        return self

    def __len__(self) -> int:
        """Batches of one epoch for this rank."""
        return self._total // self.world_size

    def batches(self, epoch: int) -> list[list[Item]]:
        """All batches of an epoch for this rank, whatever has been done of them."""
        rng = np.random.default_rng([self.seed, epoch])
        out: list[list[Item]] = []
        for bucket, size in zip(self._buckets, self._sizes, strict=True):
            shuffled = [(epoch, bucket[position]) for position in rng.permutation(len(bucket))]
            out.extend(shuffled[start : start + size] for start in range(0, len(shuffled), size))
        mixed = [out[position] for position in rng.permutation(len(out))]
        return mixed[self.rank :: self.world_size][: len(self)]

    def __iter__(self) -> Iterator[list[Item]]:
        self._done, self._first = self._first, 0
        for batch in self.batches(self.epoch)[self._done :]:
            self._done += 1
            yield batch
        self.epoch += 1
        self._done = 0

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch of the next pass. The epoch that a resumed sampler is in already changes nothing."""
        if epoch != self.epoch:
            self.epoch, self._first, self._done = epoch, 0, 0

    def state_dict(self) -> dict[str, int]:
        """The epoch, and how many of its batches were handed out."""
        return {"epoch": self.epoch, "batches_done": self._done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """The next pass continues in `state["epoch"]` after `state["batches_done"]` batches."""
        epoch, done = int(state["epoch"]), int(state["batches_done"])
        if done >= len(self):
            epoch, done = epoch + 1, 0
        self.epoch, self._first, self._done = epoch, done, done


@final
class FixedBatchSampler(Sampler[list[Item]]):
    """The same batches in the same order in every pass, always of epoch 0, longest first: for validation."""

    def __init__(
        self,
        durations: Sequence[float],
        *,
        batch_seconds: float,
        max_batch: int = 64,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        _check(durations, batch_seconds, max_batch)
        order = sorted(range(len(durations)), key=lambda index: (-durations[index], index))[rank::world_size]
        self._batches: list[list[Item]] = []
        while order:
            size = min(max(int(batch_seconds / durations[order[0]]), 1), max_batch)
            self._batches.append([(0, index) for index in order[:size]])
            order = order[size:]

    def __len__(self) -> int:
        """Batches of one pass for this rank."""
        return len(self._batches)

    def __iter__(self) -> Iterator[list[Item]]:
        return iter(self._batches)
