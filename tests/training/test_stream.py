"""The stream of batches."""

from __future__ import annotations

from itertools import islice

import pytest

from cmkt.data.sampler import BucketBatchSampler
from cmkt.training.stream import BatchStream

DURATIONS = [1.0 + index / 10 for index in range(20)]


def sampler(rank: int = 0, world_size: int = 1) -> BucketBatchSampler:
    return BucketBatchSampler(DURATIONS, batch_seconds=6.0, seed=5, buckets=2, rank=rank, world_size=world_size)


@pytest.mark.parametrize("first", [0, 1, 7, 8, 9, 25])
def test_a_stream_from_a_position_is_the_rest_of_the_whole_stream(first: int) -> None:
    whole = list(islice(BatchStream(sampler()), 40))
    assert list(islice(BatchStream(sampler(), first), 40 - first)) == whole[first:]


def test_every_utterance_comes_once_an_epoch_and_epochs_differ() -> None:
    length = len(sampler())
    batches = list(islice(BatchStream(sampler()), 2 * length))
    first, second = batches[:length], batches[length:]
    for epoch, part in enumerate((first, second)):
        assert sorted(item for batch in part for item in batch) == [(epoch, index) for index in range(20)]
    assert [[i for _, i in batch] for batch in first] != [[i for _, i in batch] for batch in second]


def test_a_stream_has_no_length_because_it_does_not_end() -> None:
    with pytest.raises(TypeError):
        len(BatchStream(sampler()))  # type: ignore[arg-type]


def test_processes_share_no_batch() -> None:
    parts = [list(islice(BatchStream(sampler(rank, 2)), len(sampler(rank, 2)))) for rank in range(2)]
    items = [{item for batch in part for item in batch} for part in parts]
    assert not items[0] & items[1]
