from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
import torch
from torch import Tensor

from cmkt.transfer.attention import Attention, AttentionAlignment
from cmkt.transfer.objective import combine, transfer_loss
from cmkt.transfer.probe import Pair, mean_direction_floor, probe
from cmkt.transfer.shift import Shift
from cmkt.types import Aligned, Frames, Tokens


def align(frames: Frames, tokens: Tokens, shift: Shift, seed: int = 0) -> Aligned:
    aligned: Aligned = Attention(shift=shift).build(12, 6, seed=0)(frames, tokens, torch.Generator().manual_seed(seed))
    return aligned


def test_query_of_the_token_before_supervises_the_target(frames: Frames, tokens: Tokens) -> None:
    plain, shifted = align(frames, tokens, Shift()), align(frames, tokens, Shift(tokens=1))
    assert shifted.counted.sum(dim=1).tolist() == [7, 2, 4]
    assert not shifted.counted[:, 0].any()
    for row, count in enumerate((8, 3, 5)):
        assert torch.allclose(shifted.matrix[row, 1:count], plain.matrix[row, : count - 1])
        assert not shifted.matrix[row, 0].any()


def test_shifting_by_more_than_a_sentence_counts_none_of_its_tokens(frames: Frames, tokens: Tokens) -> None:
    aligned = align(frames, tokens, Shift(tokens=5))
    assert aligned.counted.sum(dim=1).tolist() == [3, 0, 0]


def test_utterances_displaced_out_of_sight_are_not_counted(frames: Frames, tokens: Tokens) -> None:
    aligned = align(frames, tokens, Shift(frames=25))
    assert aligned.counted.any(dim=1).tolist() == [True, True, False]
    assert aligned.distance.isfinite().all()


def test_displaced_out_frames_get_no_weight(frames: Frames, tokens: Tokens) -> None:
    matrix = align(frames, tokens, Shift(frames=4)).matrix
    assert not matrix[0, :, 36:].any()
    assert not matrix[1, :, 26:].any()
    assert not align(frames, tokens, Shift(frames=-4)).matrix[:, :, :4].any()


def test_drawn_shift_follows_its_generator(frames: Frames, tokens: Tokens) -> None:
    shift = Shift(frames=(-8, 8))
    first, again, other = (align(frames, tokens, shift, seed) for seed in (1, 1, 2))
    assert torch.equal(first.distance, again.distance)
    assert not torch.equal(first.distance, other.distance)


def test_permuting_the_batch_permutes_the_result(frames: Frames, tokens: Tokens) -> None:
    order = [2, 0, 1]
    permuted = align(
        Frames(frames.values[order], frames.mask[order], frames.seconds_per_frame),
        Tokens(tokens.values[order], tokens.mask[order]),
        Shift(tokens=1, frames=2),
    )
    plain = align(frames, tokens, Shift(tokens=1, frames=2))
    assert torch.allclose(permuted.distance, plain.distance[order], atol=1e-5)
    assert torch.allclose(permuted.matrix, plain.matrix[order], atol=1e-5)


def with_output(module: AttentionAlignment, vector: Tensor) -> AttentionAlignment:
    torch.nn.init.zeros_(module.bridge.output.weight)
    module.bridge.output.bias.data.copy_(vector)
    return module


def test_losses_of_three_tokens_with_padding_by_hand() -> None:
    """zhat is (3, 4) for every token; cosines with (1, 0), (0, 2), (-5, 0) are 0.6, 0.8, -0.6."""
    vectors = torch.tensor([[[1.0, 0.0], [0.0, 2.0], [-5.0, 0.0], [0.0, 0.0]]])
    tokens = Tokens(vectors, torch.tensor([[True, True, True, False]]))
    frames = Frames(torch.randn(1, 9, 5), torch.arange(9)[None] < 7, 0.01)
    module = with_output(Attention().build(5, 2, seed=0), torch.tensor([3.0, 4.0]))
    aligned = module(frames, tokens)
    assert aligned.distance.tolist()[0] == pytest.approx([0.4, 0.2, 1.6, 0.0], abs=1e-6)
    assert transfer_loss(aligned, "sum").item() == pytest.approx(2.2)
    assert transfer_loss(aligned, "mean").item() == pytest.approx(2.2 / 3)
    total = combine(torch.tensor(0.5), transfer_loss(aligned, "sum"), 0.7)
    assert total.item() == pytest.approx(0.7 * 0.5 + 0.3 * 2.2)


def test_specification_is_frozen_comparable_and_printable() -> None:
    spec = Attention(shift=Shift(tokens=1), heads=2)
    assert spec == Attention(shift=Shift(tokens=1), heads=2)
    assert "Shift(tokens=1" in repr(spec)
    with pytest.raises(FrozenInstanceError):
        spec.heads = 3  # type: ignore[misc]


def blind_pairs(utterances: int, seed: int) -> list[Pair]:
    """Frames of noise, and sentences whose vectors mix each word with its neighbours, as a bidirectional LM's do."""
    words = torch.randn(100, 24, generator=torch.Generator().manual_seed(0)) + 0.7
    generator = torch.Generator().manual_seed(seed)
    pairs: list[Pair] = []
    for _ in range(utterances):
        chosen = words[torch.randint(100, (10,), generator=generator)]
        mixed = chosen + 0.5 * (chosen.roll(1, dims=0) + chosen.roll(-1, dims=0))
        pairs.append((torch.randn(40, 16, generator=generator), 0.02, mixed))
    return pairs


def test_the_leak_of_a_query_that_contains_the_answer_and_what_a_shift_does_to_it() -> None:
    """On frames that carry nothing, DESIGN's table in small: query = z_t < z_(t-1) < the mean direction."""
    train, held_out = blind_pairs(192, seed=1), blind_pairs(48, seed=2)
    floor = mean_direction_floor(train, held_out)
    losses = {
        tokens: probe(train, held_out, Attention(shift=Shift(tokens=tokens)), steps=250, seed=0).loss
        for tokens in (0, 1)
    }
    assert losses[0] < 0.75 * floor
    assert losses[1] > losses[0] + 0.1 * floor
