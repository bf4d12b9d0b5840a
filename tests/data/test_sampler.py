"""Batches: every utterance once, similar lengths, the same after a resume and on every rank."""

from __future__ import annotations

import numpy as np
import pytest

from cmkt.data.sampler import BucketBatchSampler, FixedBatchSampler, Item, make_buckets
from cmkt.errors import ConfigError

DURATIONS = [float(x) for x in np.random.default_rng(0).uniform(1.0, 16.0, 500)]


def sampler(**options: int) -> BucketBatchSampler:
    return BucketBatchSampler(DURATIONS, batch_seconds=60.0, **options)


def flat(batches: list[list[Item]]) -> list[Item]:
    return [item for batch in batches for item in batch]


def test_every_utterance_comes_once_in_an_epoch() -> None:
    batches = list(sampler())
    assert sorted(flat(batches)) == [(0, index) for index in range(500)]
    assert len(batches) == len(sampler())


def test_no_batch_is_longer_than_asked_with_its_padding() -> None:
    for batch in sampler():
        assert len(batch) * max(DURATIONS[index] for _, index in batch) <= 60.0


def test_little_is_padding() -> None:
    batches = list(sampler())
    padded = sum(len(batch) * max(DURATIONS[index] for _, index in batch) for batch in batches)
    assert sum(DURATIONS) / padded > 0.85


def test_batches_are_a_function_of_seed_and_epoch() -> None:
    assert sampler().batches(3) == sampler().batches(3)
    assert sampler().batches(3) != sampler(seed=1).batches(3)
    composition = [{frozenset(i for _, i in batch) for batch in sampler().batches(e)} for e in (3, 4)]
    assert composition[0] != composition[1]


def test_epoch_advances_with_every_pass_and_set_epoch_chooses() -> None:
    one = sampler()
    first, second = list(one), list(one)
    assert {epoch for epoch, _ in flat(second)} == {1}
    one.set_epoch(0)
    assert list(one) == first
    one.set_epoch(1)
    assert list(one) == second


def test_resumed_run_goes_on_with_the_next_batch() -> None:
    whole = list(sampler()) + sampler().batches(1)
    running = iter(interrupted := sampler())
    before = [next(running) for _ in range(17)]
    resumed = sampler()
    resumed.load_state_dict(dict(interrupted.state_dict()))
    resumed.set_epoch(0)  # Lightning does this at the start of the interrupted epoch
    assert resumed.state_dict() == {"epoch": 0, "batches_done": 17}
    assert before + list(resumed) + list(resumed) == whole


def test_resuming_at_the_end_of_an_epoch_starts_the_next() -> None:
    resumed = sampler()
    resumed.load_state_dict({"epoch": 4, "batches_done": len(resumed)})
    assert list(resumed) == sampler().batches(5)


def test_pass_that_was_left_in_the_middle_starts_anew() -> None:
    one = sampler()
    next(iter(one))
    assert list(one) == sampler().batches(0)


def test_ranks_share_an_epoch_and_have_the_same_number_of_batches() -> None:
    ranks = [list(sampler(rank=rank, world_size=3)) for rank in range(3)]
    assert {len(batches) for batches in ranks} == {len(sampler()) // 3}
    seen = [item for batches in ranks for item in flat(batches)]
    assert len(seen) == len(set(seen))
    assert len(sampler()) - sum(len(batches) for batches in ranks) < 3


def test_buckets_hold_about_the_same_duration_each() -> None:
    buckets = make_buckets(DURATIONS, buckets=5)
    seconds = [sum(DURATIONS[index] for index in bucket) for bucket in buckets]
    assert len(buckets) == 5
    assert max(seconds) < 1.1 * min(seconds)
    assert sorted(index for bucket in buckets for index in bucket) == list(range(500))


def test_few_utterances_and_large_batches_work() -> None:
    assert flat(list(BucketBatchSampler([2.0], batch_seconds=60.0))) == [(0, 0)]
    assert max(len(batch) for batch in sampler(max_batch=3)) == 3


@pytest.mark.parametrize(
    ("durations", "options"),
    [
        ([], {}),
        ([5.0], {"batch_seconds": 4.0}),
        ([1.0], {"rank": 1}),
        ([1.0], {"world_size": 2}),
        ([1.0], {"max_batch": 0}),
    ],
)
def test_options_that_cannot_work_are_refused(durations: list[float], options: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        BucketBatchSampler(durations, **{"batch_seconds": 60.0, **options})  # type: ignore[arg-type]


def test_lightning_finds_set_epoch_through_the_batch_sampler() -> None:
    one = sampler()
    assert one.sampler is one


def test_fixed_batches_are_the_same_in_every_pass_and_complete() -> None:
    fixed = FixedBatchSampler(DURATIONS, batch_seconds=60.0)
    assert list(fixed) == list(fixed)
    assert sorted(flat(list(fixed))) == [(0, index) for index in range(500)]
    assert all(len(batch) * max(DURATIONS[index] for _, index in batch) <= 60.0 for batch in fixed)
    halves = [flat(list(FixedBatchSampler(DURATIONS, batch_seconds=60.0, rank=r, world_size=2))) for r in range(2)]
    assert sorted(halves[0] + halves[1]) == [(0, index) for index in range(500)]
