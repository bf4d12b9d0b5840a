from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from cmkt.errors import ConfigError
from cmkt.transfer.attention import Attention
from cmkt.transfer.probe import Pair, probe
from cmkt.transfer.retrieval import pairwise_scores, relative_scores, retrieve
from cmkt.transfer.shift import Shift
from cmkt.types import Aligned
from tests.transfer.conftest import spoken_pairs

SPEC = Attention(shift=Shift(tokens=1), heads=2, width=32)


def numbered(count: int) -> list[Pair]:
    return [(torch.full((1, 1), float(index)), 0.1, torch.full((1, 1), float(index))) for index in range(count)]


def table(losses: Tensor) -> object:
    """An aligner whose loss for transcript j on frames i is `losses[i, j]`; infinite marks a token not counted."""

    def align(pairs: Sequence[Pair]) -> Aligned:
        rows = [int(frames[0, 0]) for frames, _, _ in pairs]
        columns = [int(tokens[0, 0]) for _, _, tokens in pairs]
        distance = losses[rows, columns][:, None]
        counted = torch.isfinite(distance)
        return Aligned(distance.where(counted, torch.zeros(())), counted, torch.ones(len(pairs), 1, 1))

    return align


def test_relative_scores_by_hand() -> None:
    scores = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 10.0]])
    expected = torch.tensor(
        [[1 - (4 + 7) / 2, 2 - 8.0, 3 - 6.0], [4 - 7.0, 5 - (2 + 8) / 2, 6 - 3.0], [7 - 4.0, 8 - 2.0, 10 - (3 + 6) / 2]]
    )
    assert torch.equal(relative_scores(scores), expected)


def test_what_a_transcript_gives_away_does_not_help_it() -> None:
    """Transcript 0 has the lowest loss on all frames, and is still chosen only for its own."""
    losses = torch.tensor([[0.1, 0.9, 0.9], [0.2, 0.8, 0.9], [0.2, 0.9, 0.8]])
    found = retrieve(table(losses), numbered(3), seed=0)  # type: ignore[arg-type]
    assert (found.rate, found.beaten, found.candidates) == (1.0, 1.0, 3.0)
    assert found.chance == pytest.approx(1 / 3)


def test_frames_that_change_nothing_find_nothing() -> None:
    losses = torch.tensor([0.125, 0.5, 0.875, 0.25]).expand(4, 4)
    found = retrieve(table(losses), numbered(4), seed=0)  # type: ignore[arg-type]
    assert (found.rate, found.beaten) == (0.0, 0.5)


def test_frames_that_carry_the_tokens_retrieve_them_and_noise_does_at_the_rate_of_guessing() -> None:
    train, held_out = spoken_pairs(96, 1), spoken_pairs(60, 2)
    true = probe(train, held_out, SPEC, steps=150, seed=0, retrieval=True).retrieval
    generator = torch.Generator().manual_seed(3)
    # Not noise with the statistics of each utterance: its means say much of the tokens, and are found.
    blind_train, blind = (
        [(torch.randn(frames.shape, generator=generator), seconds, tokens) for frames, seconds, tokens in pairs]
        for pairs in (train, held_out)
    )
    nothing = probe(blind_train, blind, SPEC, steps=150, seed=0, retrieval=True).retrieval
    assert true is not None
    assert nothing is not None
    assert true.rate_low > 5 * true.chance
    assert true.rate_low <= true.rate <= true.rate_high
    assert true.beaten_low > 0.8
    assert nothing.beaten_low < 0.5 < nothing.beaten_high
    assert nothing.rate < 5 * nothing.chance
    assert (true.candidates, true.utterances) == (60, 60)


def test_rivals_are_the_nearest_in_length_and_never_have_the_same_tokens() -> None:
    pairs = [(torch.zeros(length, 1), 0.1, torch.full((1, 1), float(text))) for length, text in enumerate((0, 0, 1, 2))]
    asked: list[int] = []

    def align(batch: Sequence[Pair]) -> Aligned:
        asked.append(len(batch))
        return Aligned(
            torch.rand(len(batch), 1), torch.ones(len(batch), 1, dtype=torch.bool), torch.ones(len(batch), 1, 1)
        )

    found = retrieve(align, pairs, seed=0, candidates=2, batch_size=3)
    assert (found.candidates, found.chance) == (2.0, 0.5)
    assert max(asked) == 3


def test_an_utterance_without_a_counted_token_is_left_out() -> None:
    losses = torch.rand(5, 5, generator=torch.Generator().manual_seed(0))
    losses[:, 2] = torch.inf
    assert torch.isnan(pairwise_scores(table(losses), numbered(5))[:, 2]).all()  # type: ignore[arg-type]
    assert retrieve(table(losses), numbered(5), seed=0).utterances == 4  # type: ignore[arg-type]


def test_too_few_or_equal_utterances_are_an_error() -> None:
    with pytest.raises(ConfigError, match="there are 2"):
        retrieve(table(torch.rand(2, 2)), numbered(2), seed=0)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="all are alike"):
        retrieve(table(torch.rand(1, 1)), numbered(1) * 3, seed=0)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="2 or more transcripts, but is 1"):
        retrieve(table(torch.rand(3, 3)), numbered(3), seed=0, candidates=1)  # type: ignore[arg-type]
