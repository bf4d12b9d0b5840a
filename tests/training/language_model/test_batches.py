from __future__ import annotations

import numpy as np
import torch

from cmkt.text.language.sequences import Sequences
from cmkt.training.language_model.batches import LineBatches, LineDataset, padded

LENGTHS = np.random.default_rng(0).integers(3, 40, size=500)


def test_an_epoch_has_every_line_once_within_the_tokens() -> None:
    batches = LineBatches(LENGTHS, batch_tokens=256, seed=0)
    for epoch in (0, 1):
        drawn = batches.batches(epoch)
        assert len(drawn) == len(batches)
        assert sorted(index for batch in drawn for index in batch) == list(range(500))
        assert max(len(batch) * LENGTHS[batch].max() for batch in drawn) <= 256


def test_epochs_differ_and_repeat() -> None:
    batches = LineBatches(LENGTHS, batch_tokens=256, seed=0)
    assert batches.batches(0) == LineBatches(LENGTHS, batch_tokens=256, seed=0).batches(0)
    assert batches.batches(0) != batches.batches(1)
    assert {frozenset(batch) for batch in batches.batches(0)} != {frozenset(batch) for batch in batches.batches(1)}
    assert batches.batches(0) != LineBatches(LENGTHS, batch_tokens=256, seed=1).batches(0)


def test_little_is_padding() -> None:
    drawn = LineBatches(LENGTHS, batch_tokens=256, seed=0).batches(0)
    assert LENGTHS.sum() / sum(len(batch) * LENGTHS[batch].max() for batch in drawn) > 0.9


def test_lines_stand_side_by_side() -> None:
    lines = LineDataset(Sequences(np.array([2, 7, 3, 2, 3], np.uint16), np.array([0, 3, 5])))
    assert len(lines) == 2
    assert torch.equal(padded([lines[0], lines[1]]), torch.tensor([[2, 7, 3], [2, 3, 0]]))
