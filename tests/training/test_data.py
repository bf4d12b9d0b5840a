"""The data module."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch

from cmkt.data.batch import Batch
from cmkt.data.manifest import load_prepared
from cmkt.errors import CheckpointError, ConfigError, DataError
from cmkt.training.data import MixtureData


def make(folder: Path, **changes: Any) -> MixtureData:
    known = {"sample_rate": 8000, "batch_seconds": 4.0}
    return MixtureData(str(folder / "train"), str(folder / "dev"), **(known | changes))


def take(data: MixtureData, count: int) -> list[Batch]:
    return list(islice(data.train_dataloader(), count))


def test_two_runs_of_a_seed_see_the_same_batches_and_other_seeds_do_not(corpus_folder: Path) -> None:
    first, second = take(make(corpus_folder), 4), take(make(corpus_folder), 4)
    for a, b in zip(first, second, strict=True):
        assert a.ids == b.ids
        assert torch.equal(a.noisy, b.noisy)
    assert [batch.ids for batch in take(make(corpus_folder, seed=1), 4)] != [batch.ids for batch in first]


def test_a_batch_holds_whole_utterances_with_their_transcripts(corpus_folder: Path) -> None:
    for batch in take(make(corpus_folder, crop_seconds=0.4), 3):
        assert batch.texts == tuple(f"words of {name}" for name in batch.ids)
        assert int(batch.lengths.min()) > 0.4 * 8000


def test_without_text_utterances_are_cropped(corpus_folder: Path) -> None:
    for batch in take(make(corpus_folder, keep_text=False, crop_seconds=0.4), 3):
        assert batch.noisy.shape[1] == 3200
        assert set(batch.texts) == {None}


def test_loading_a_position_continues_there_without_mixing_what_was_done(corpus_folder: Path) -> None:
    whole = take(make(corpus_folder), 9)
    resumed = make(corpus_folder)
    resumed.load_state_dict(make(corpus_folder).state_dict() | {"batches": 6})
    for a, b in zip(whole[6:], take(resumed, 3), strict=True):
        assert a.ids == b.ids
        assert torch.equal(a.noisy, b.noisy)


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"batch_seconds": 3.0}, {"max_batch": 2}, {"min_speech_to_floor_db": 1.0}]
)
def test_a_position_in_other_data_is_refused(corpus_folder: Path, change: dict[str, Any]) -> None:
    state = make(corpus_folder).state_dict()
    with pytest.raises(CheckpointError, match=next(iter(change))):
        make(corpus_folder, **change).load_state_dict(state)


def test_dev_is_the_same_in_every_run_whatever_its_seed(corpus_folder: Path) -> None:
    first, second = (list(make(corpus_folder, seed=seed).val_dataloader()) for seed in (0, 1))
    assert sum(len(batch.ids) for batch in first) == 4
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a.noisy, b.noisy)


def test_dev_can_be_limited_to_utterances_spread_over_it(corpus_folder: Path) -> None:
    assert make(corpus_folder, dev_utterances=2).dev_set.ids == ["dev00", "dev02"]


def floors(folder: Path) -> dict[str, float]:
    return {cut.id: cut.custom["speech_to_floor_db"] for cut in load_prepared(folder).speech}


def test_training_utterances_too_near_to_their_noise_floor_are_left_out_and_dev_is_not(corpus_folder: Path) -> None:
    values = floors(corpus_folder / "train")
    minimum = sorted(values.values())[9]
    data = make(corpus_folder, min_speech_to_floor_db=minimum)
    assert data.train_set.ids == [name for name, value in values.items() if value >= minimum]
    assert 0 < len(data.train_set) < 18
    assert len(data.dev_set) == 4


def test_a_minimum_that_no_utterance_reaches_is_refused(corpus_folder: Path) -> None:
    with pytest.raises(DataError, match="cleanest"):
        make(corpus_folder, min_speech_to_floor_db=200.0).setup()


def test_a_position_saved_before_there_was_a_minimum_can_be_loaded(corpus_folder: Path) -> None:
    state = make(corpus_folder).state_dict()
    del state["min_speech_to_floor_db"]
    make(corpus_folder).load_state_dict(state)


def test_transcripts_are_those_of_train_and_dev(corpus_folder: Path) -> None:
    texts = make(corpus_folder).texts()
    assert len(texts) == 22
    assert "words of dev03" in texts


def test_dev_that_is_the_training_folder_is_refused(corpus_folder: Path) -> None:
    with pytest.raises(ConfigError, match="held out"):
        MixtureData(str(corpus_folder / "train"), str(corpus_folder / "train")).setup()


def test_a_folder_that_is_not_prepared_is_refused(corpus_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cmkt prepare"):
        MixtureData(str(tmp_path), str(corpus_folder / "dev")).setup()


@pytest.mark.parametrize("change", [{"workers": -1}, {"dev_utterances": 0}, {"min_speech_to_floor_db": float("nan")}])
def test_numbers_that_cannot_be_are_refused(corpus_folder: Path, change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(change))):
        make(corpus_folder, **change)


def test_an_utterance_longer_than_a_batch_is_refused_when_set_up(corpus_folder: Path) -> None:
    with pytest.raises(ConfigError, match="batch_seconds"):
        make(corpus_folder, batch_seconds=0.5).setup()
