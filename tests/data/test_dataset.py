"""Items are functions of (seed, epoch, id), and text goes with exactly its audio."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from cmkt.data.batch import collate
from cmkt.data.cache import Int16Audio
from cmkt.data.dataset import MixtureDataset, crop_speech
from cmkt.data.manifest import Prepared
from cmkt.data.mixture import Mixer
from cmkt.data.plan import MixtureSettings
from cmkt.data.sampler import FixedBatchSampler
from cmkt.errors import ConfigError, DataError

RATE = 16_000
HEAVY = MixtureSettings(reverb_probability=0.5, two_noises_probability=0.5, clip_probability=0.5)


def dataset(
    prepared: Prepared, *, seed: int = 0, crop_seconds: float | None = 1.2, needs_text: bool = True, cache: bool = True
) -> MixtureDataset:
    mixer = Mixer(HEAVY, prepared.noise, prepared.rir, RATE)
    return MixtureDataset(
        prepared.speech, mixer, seed=seed, crop_seconds=crop_seconds, needs_text=needs_text, cache=cache
    )


def test_same_mixtures_in_any_order_object_and_cache(prepared: Prepared) -> None:
    items = [(epoch, index) for epoch in range(2) for index in range(6)]
    first = {item: dataset(prepared)[item] for item in items}
    other = dataset(prepared, cache=False)
    other_pickled = pickle.loads(pickle.dumps(other))
    other.preload()
    for item in reversed(items):
        for again in (other[item], other_pickled[item]):
            assert torch.equal(first[item].noisy, again.noisy)
            assert torch.equal(first[item].clean, again.clean)
            assert first[item].text == again.text


def test_other_epoch_and_other_seed_give_other_mixtures(prepared: Prepared) -> None:
    base = dataset(prepared)[0, 0].noisy
    assert not torch.equal(base, dataset(prepared)[1, 0].noisy)
    assert not torch.equal(base, dataset(prepared, seed=1)[0, 0].noisy)


_SCRIPT = """
import hashlib, sys
from cmkt.data.dataset import MixtureDataset
from cmkt.data.manifest import load_prepared
from cmkt.data.mixture import Mixer
from cmkt.data.plan import MixtureSettings
prepared = load_prepared(sys.argv[1])
settings = MixtureSettings(reverb_probability=0.5, two_noises_probability=0.5, clip_probability=0.5)
items = MixtureDataset(prepared.speech, Mixer(settings, prepared.noise, prepared.rir, 16_000), crop_seconds=1.2)
for index in (5, 1, 3, 0, 2, 4):
    print(index, hashlib.sha256(items[7, index].noisy.numpy().tobytes()).hexdigest())
"""


def test_another_process_makes_the_same_mixtures(prepared: Prepared) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(prepared.directory)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "77"},
    )
    here = dataset(prepared)
    for line in done.stdout.splitlines():
        index, digest = line.split()
        assert hashlib.sha256(here[7, int(index)].noisy.numpy().tobytes()).hexdigest() == digest
    assert len(done.stdout.splitlines()) == 6


def test_loader_processes_give_the_same_batches(prepared: Prepared) -> None:
    data = dataset(prepared)
    data.preload()
    sampler = FixedBatchSampler(data.durations, batch_seconds=8.0)
    here = [collate([data[item] for item in batch]) for batch in sampler]
    loaded = list(DataLoader(data, batch_sampler=sampler, collate_fn=collate, num_workers=2))
    assert len(here) == len(loaded) > 1
    for ours, theirs in zip(here, loaded, strict=True):
        assert torch.equal(ours.noisy, theirs.noisy)
        assert torch.equal(ours.clean, theirs.clean)
        assert ours.texts == theirs.texts


def test_only_utterances_without_text_are_cropped_where_text_is_needed(prepared: Prepared) -> None:
    data = dataset(prepared, crop_seconds=1.2)
    lengths = [data[0, index].noisy.numel() / RATE for index in range(6)]
    assert lengths == [1.0, 1.5, 1.2, 2.5, 3.0, 1.2]
    assert lengths == data.durations
    texts = [data[0, index].text for index in range(6)]
    assert texts == ["SENTENCE 0", "SENTENCE 1", None, "SENTENCE 3", "SENTENCE 4", None]
    assert texts == data.texts


def test_cropped_utterance_loses_its_text_where_text_is_not_needed(prepared: Prepared) -> None:
    data = dataset(prepared, crop_seconds=1.2, needs_text=False)
    assert [data[0, index].noisy.numel() / RATE for index in range(6)] == [1.0] + 5 * [1.2]
    assert [data[0, index].text for index in range(6)] == ["SENTENCE 0"] + 5 * [None] == data.texts
    assert data.durations == [1.0] + 5 * [1.2]


def test_without_a_crop_length_everything_is_whole(prepared: Prepared) -> None:
    data = dataset(prepared, crop_seconds=None, needs_text=False)
    assert data.durations == [1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    assert data[0, 5].noisy.numel() == 3.5 * RATE


@pytest.mark.parametrize(
    ("heard", "samples"),
    [(slice(70_000, 90_000), 100_000), (slice(155_000, 155_100), 16_000), (slice(0, 10), 16_000)],
)
def test_crop_is_not_a_pause(heard: slice, samples: int) -> None:
    audio = np.zeros(160_000, dtype=np.float32)
    audio[heard] = 0.3
    for seed in range(50):
        crop = crop_speech(Int16Audio.pack(audio), samples, np.random.default_rng(seed))
        assert crop.shape == (samples,)
        assert np.abs(crop).max() > 0


def test_file_that_disappears_is_named_at_training_time(prepared: Prepared) -> None:
    data = dataset(prepared)
    Path(next(iter(prepared.speech)).recording.sources[0].source).unlink()
    with pytest.raises(DataError, match=r"u0\.wav"):
        data[0, 0]
    with pytest.raises(DataError, match=r"u0\.wav"):
        data.preload()


def test_noise_that_disappears_is_named_at_training_time(prepared: Prepared) -> None:
    assert prepared.noise is not None
    for cut in prepared.noise:
        Path(cut.recording.sources[0].source).unlink()
    with pytest.raises(DataError, match=r"noise.*\.wav"):
        dataset(prepared).mixture(0, 1)


def test_impossible_crop_and_no_speech_are_refused(prepared: Prepared) -> None:
    with pytest.raises(ConfigError):
        dataset(prepared, crop_seconds=0.0)
    with pytest.raises(DataError):
        MixtureDataset([], Mixer(HEAVY, prepared.noise, None, RATE))


def test_batch_is_padded_with_zeros_behind_the_end(prepared: Prepared) -> None:
    data = dataset(prepared)
    batch = collate([data[0, 0], data[0, 4]])
    assert batch.noisy.shape == batch.clean.shape == (2, 3 * RATE)
    assert batch.lengths.tolist() == [RATE, 3 * RATE]
    assert batch.lengths.dtype == torch.int64
    assert not batch.noisy[0, RATE:].any()
    assert batch.ids == ("u0", "u4")
    assert batch.texts == ("SENTENCE 0", "SENTENCE 4")
    assert len(batch.to("cpu")) == 2
