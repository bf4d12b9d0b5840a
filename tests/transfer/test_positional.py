from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
import torch

from cmkt.errors import ConfigError
from cmkt.transfer.alignment import AlignmentSpec
from cmkt.transfer.positional import Positional
from cmkt.transfer.probe import mean_direction_floor, probe
from cmkt.types import Frames, Tokens
from tests.transfer.test_attention import blind_pairs


def test_no_vector_reaches_the_alignment(frames: Frames, tokens: Tokens) -> None:
    """With any frames, not only constant ones: other words are read from the same places."""
    module = Positional().build(12, 6, seed=0)
    other = replace(tokens, values=torch.randn(tokens.values.shape) * tokens.mask[..., None])
    assert torch.equal(module(frames, tokens).matrix, module(frames, other).matrix)


def test_queries_know_position_and_count(frames: Frames, tokens: Tokens) -> None:
    matrix = Positional().build(12, 6, seed=0)(frames, tokens).matrix
    assert not torch.allclose(matrix[0, 0], matrix[0, 1], atol=1e-4)
    shorter = Tokens(tokens.values[:, :3], tokens.mask[:, :3])
    assert not torch.allclose(Positional().build(12, 6, seed=0)(frames, shorter).matrix[0, 0], matrix[0, 0], atol=1e-4)


def test_early_tokens_look_early_from_the_start() -> None:
    frames = Frames(torch.randn(1, 200, 12), torch.ones(1, 200, dtype=torch.bool), 0.02)
    tokens = Tokens(torch.randn(1, 4, 6), torch.ones(1, 4, dtype=torch.bool))
    module = Positional().build(12, 6, seed=0)
    module.bridge.time.weight.data.mul_(8)
    module.bridge.keys.weight.data.zero_()
    centres = (module(frames, tokens).matrix[0] * torch.arange(200)).sum(dim=-1)
    assert centres.tolist() == sorted(centres.tolist())


def test_an_utterance_without_frames_is_not_counted(frames: Frames, tokens: Tokens) -> None:
    mask = frames.mask.clone()
    mask[1] = False
    aligned = Positional().build(12, 6, seed=0)(replace(frames, mask=mask), tokens)
    assert aligned.counted.any(dim=1).tolist() == [True, False, True]
    assert aligned.distance.isfinite().all()


def test_on_noise_it_cannot_beat_the_mean_direction() -> None:
    """Words are drawn independently of their position here, so position and count tell nothing of them."""
    train, held_out = blind_pairs(192, seed=1), blind_pairs(48, seed=2)
    loss = probe(train, held_out, Positional(), steps=250, seed=0).loss
    assert loss > 0.97 * mean_direction_floor(train, held_out)


def test_specification_is_frozen_comparable_and_printable() -> None:
    assert Positional(heads=2) == Positional(heads=2)
    assert isinstance(Positional(), AlignmentSpec)
    assert "heads=2" in repr(Positional(heads=2))
    with pytest.raises(FrozenInstanceError):
        Positional().heads = 3  # type: ignore[misc]


def test_width_that_heads_cannot_share_is_an_error() -> None:
    with pytest.raises(ConfigError, match="`width` must be a positive multiple"):
        Positional(heads=3, width=16).build(12, 6, seed=0)
