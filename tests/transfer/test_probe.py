from __future__ import annotations

import pytest
import torch

from cmkt.errors import ConfigError
from cmkt.transfer.attention import Attention
from cmkt.transfer.probe import (
    Pair,
    ProbeResult,
    epoch_batches,
    linguistic_gain,
    mean_direction_floor,
    mismatched,
    noise_like,
    probe,
)
from cmkt.transfer.shift import Shift
from tests.transfer.conftest import spoken_pairs

SPEC = Attention(shift=Shift(tokens=1), heads=2, width=32)


def blind(pairs: list[Pair], seed: int) -> list[Pair]:
    generator = torch.Generator().manual_seed(seed)
    return [(noise_like(frames, generator), seconds, tokens) for frames, seconds, tokens in pairs]


def test_frames_that_carry_the_tokens_have_a_linguistic_gain_and_noise_has_none() -> None:
    train, held_out = spoken_pairs(96, 1), spoken_pairs(32, 2)
    true = probe(train, held_out, SPEC, steps=150, seed=0)
    nothing = probe(blind(train, 3), blind(held_out, 4), SPEC, steps=150, seed=0)
    also_nothing = probe(blind(train, 5), blind(held_out, 6), SPEC, steps=150, seed=0)
    gain = linguistic_gain(blind=nothing, true=true, seed=0)
    assert gain.low > 0.05
    assert gain.low <= gain.value <= gain.high
    assert abs(linguistic_gain(blind=nothing, true=also_nothing, seed=0).value) < gain.value / 3


def test_the_probe_is_deterministic_and_leaves_the_random_state_alone() -> None:
    pairs = spoken_pairs(6, 1)
    state = torch.get_rng_state()
    first, again = (probe(pairs, pairs, SPEC, steps=3, seed=1, batch_size=4) for _ in range(2))
    assert first == again
    assert first != probe(pairs, pairs, SPEC, steps=3, seed=2, batch_size=4)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_pass_has_every_utterance_once_and_batches_of_like_lengths() -> None:
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 1000, (64,), generator=generator)
    batches = epoch_batches(lengths, batch_size=8, generator=generator)
    assert [len(batch) for batch in batches] == [8] * 8
    assert sorted(index for batch in batches for index in batch) == list(range(64))
    padded = sum(8 * int(lengths[batch].max()) for batch in batches)
    assert padded < 1.3 * int(lengths.sum())
    assert batches != epoch_batches(lengths, batch_size=8, generator=generator)


@pytest.mark.parametrize(("utterances", "sizes"), [(3, [3]), (8, [8]), (13, [8])])
def test_what_is_too_little_for_a_batch_is_left_out_unless_it_is_all(utterances: int, sizes: list[int]) -> None:
    batches = epoch_batches(torch.arange(utterances), batch_size=8, generator=torch.Generator().manual_seed(0))
    assert [len(batch) for batch in batches] == sizes


def test_held_out_losses_do_not_depend_on_the_batch_size_without_training() -> None:
    pairs = spoken_pairs(7, 1)
    small, large = (probe(pairs, pairs, SPEC, steps=0, seed=1, batch_size=size) for size in (2, 7))
    assert small.utterance_losses == pytest.approx(large.utterance_losses, abs=1e-5)
    assert small.utterance_tokens == large.utterance_tokens


def test_loss_is_the_mean_over_tokens_not_over_utterances() -> None:
    assert ProbeResult((0.2, 0.8), (3, 1)).loss == pytest.approx(0.35)


def test_gain_by_hand() -> None:
    gain = linguistic_gain(blind=ProbeResult((0.5, 0.9), (3, 1)), true=ProbeResult((0.2, 0.8), (3, 1)), seed=0)
    assert gain.value == pytest.approx((3 * 0.3 + 0.1) / 4)
    assert gain.low == pytest.approx(0.1)
    assert gain.high == pytest.approx(0.3)


def test_gain_of_different_utterances_is_an_error() -> None:
    with pytest.raises(ConfigError, match="same held-out utterances"):
        linguistic_gain(blind=ProbeResult((0.5,), (3,)), true=ProbeResult((0.5,), (4,)), seed=0)


def test_noise_has_the_statistics_of_the_frames_and_their_shape() -> None:
    frames = torch.randn(4000, 3) * torch.tensor([1.0, 5.0, 0.0]) + torch.tensor([0.0, 2.0, 7.0])
    noise = noise_like(frames, torch.Generator().manual_seed(0))
    assert noise.shape == frames.shape
    assert torch.allclose(noise.mean(dim=0), frames.mean(dim=0), atol=0.3)
    assert torch.allclose(noise.std(dim=0), frames.std(dim=0), atol=0.3)
    assert noise[:, 2].eq(7.0).all()


def test_mean_direction_floor_by_hand() -> None:
    frames = torch.zeros(1, 1)
    train: list[Pair] = [(frames, 0.1, torch.tensor([[5.0, 0.0], [0.0, 2.0]]))]
    held_out: list[Pair] = [(frames, 0.1, torch.tensor([[1.0, 1.0], [1.0, 0.0], [-1.0, -1.0]]))]
    assert mean_direction_floor(train, held_out) == pytest.approx((0 + 1 - 2**-0.5 + 2) / 3, abs=1e-6)


def test_mismatched_frames_come_from_the_nearest_length_with_other_words() -> None:
    words = [torch.ones(1, 2), torch.zeros(1, 2)]
    lengths, texts = [10, 12, 30, 13], [0, 0, 1, 1]
    pairs: list[Pair] = [
        (torch.full((length, 1), float(index)), 0.1, words[text])
        for index, (length, text) in enumerate(zip(lengths, texts, strict=True))
    ]
    changed = mismatched(pairs)
    assert [int(frames[0, 0]) for frames, _, _ in changed] == [3, 3, 1, 1]
    assert all(torch.equal(new[2], old[2]) for new, old in zip(changed, pairs, strict=True))


def test_gain_against_mismatched_frames_is_positive_when_frames_carry_the_tokens() -> None:
    train, held_out = spoken_pairs(96, 1), spoken_pairs(32, 2)
    true = probe(train, held_out, SPEC, steps=150, seed=0)
    wrong = probe(mismatched(train), mismatched(held_out), SPEC, steps=150, seed=0)
    assert linguistic_gain(blind=wrong, true=true, seed=0).low > 0.05


def test_utterances_that_are_all_alike_cannot_be_mismatched() -> None:
    with pytest.raises(ConfigError, match="different tokens"):
        mismatched([(torch.zeros(2, 1), 0.1, torch.ones(1, 2))] * 2)


def test_pairs_that_do_not_fit_together_are_an_error() -> None:
    pairs = spoken_pairs(2, 1)
    frames, _, tokens = pairs[0]
    with pytest.raises(ConfigError, match="seconds per frame"):
        probe(pairs, [(frames, 0.1, tokens)], SPEC, steps=1, seed=0)
    with pytest.raises(ConfigError, match="must each hold an utterance"):
        probe(pairs, [], SPEC, steps=1, seed=0)


def test_a_shift_that_counts_no_held_out_token_is_an_error() -> None:
    pairs = spoken_pairs(2, 1)
    with pytest.raises(ConfigError, match="must leave tokens to count"):
        probe(pairs, pairs, Attention(shift=Shift(tokens=50)), steps=0, seed=0)
