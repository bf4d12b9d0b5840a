from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from cmkt.errors import ConfigError
from cmkt.transfer.alignment import AlignmentSpec, check_teacher
from cmkt.transfer.attach import attach
from cmkt.transfer.attention import Attention
from cmkt.transfer.causal import Causal
from cmkt.transfer.positional import Positional
from cmkt.transfer.shift import Shift
from cmkt.types import Frames, Tokens


class Speaking:
    """A teacher that says whether it is causal, or not even that."""

    width = 6
    identity = "toy"

    def __init__(self, causal: bool | None) -> None:
        self.causal = causal

    def embed(self, texts: Sequence[str]) -> list[Tensor]:
        return [torch.ones(len(text.split()), self.width) for text in texts]


@pytest.mark.parametrize("delay", [1, 2])
def test_a_tokens_own_vector_and_later_ones_do_not_move_what_is_read_for_it(
    frames: Frames, tokens: Tokens, delay: int
) -> None:
    module = Causal(delay=delay).build(12, 6, seed=0)
    plain = module(frames, tokens).matrix
    for changed in range(8):
        values = tokens.values.clone()
        values[0, changed] = torch.randn(6) * 3
        matrix = module(frames, replace(tokens, values=values)).matrix
        moved = (matrix[0] - plain[0]).abs().amax(dim=-1) > 1e-6
        assert moved.nonzero().flatten().tolist() == ([changed + delay] if changed + delay < 8 else [])


def test_every_token_counts_the_first_by_its_position_alone(frames: Frames, tokens: Tokens) -> None:
    module = Causal().build(12, 6, seed=0)
    aligned = module(frames, tokens)
    assert torch.equal(aligned.counted, tokens.mask)
    other = replace(tokens, values=torch.randn(tokens.values.shape) * tokens.mask[..., None])
    assert torch.equal(module(frames, other).matrix[:, 0], aligned.matrix[:, 0])


def test_a_query_stands_at_the_position_of_its_target(frames: Frames, tokens: Tokens) -> None:
    """Unlike a shift, which asks with the vector and the position of the token before."""
    same = replace(tokens, values=torch.ones_like(tokens.values) * tokens.mask[..., None])
    causal = Causal().build(12, 6, seed=0)(frames, same).matrix[0]
    plain, shifted = (Attention(shift=Shift(tokens=k)).build(12, 6, seed=0)(frames, same).matrix[0] for k in (0, 1))
    assert torch.allclose(causal[1:], plain[1:], atol=1e-6)
    assert not torch.allclose(causal[1:], shifted[1:], atol=1e-4)


def test_a_causal_teacher_is_taken_and_a_bidirectional_one_refused_with_the_reason() -> None:
    check_teacher(Causal(), Speaking(True))
    with pytest.raises(ConfigError, match="toy is bidirectional: its vectors of earlier tokens already hold later"):
        check_teacher(Causal(), Speaking(False))


def test_a_teacher_that_does_not_say_is_refused_with_what_to_do() -> None:
    silent = SimpleNamespace(width=6, identity="old", embed=lambda texts: [])
    for teacher in (Speaking(None), silent):
        with pytest.raises(ConfigError, match=r"must say whether it is causal.*cmkt embed"):
            check_teacher(Causal(), teacher)


def test_other_alignments_take_any_teacher() -> None:
    for spec in (Attention(), Positional()):
        check_teacher(spec, Speaking(None))


def test_attach_refuses_before_the_model_is_touched(net: nn.Module, loss: nn.Module) -> None:
    with pytest.raises(ConfigError, match="bidirectional"):
        attach(
            net,
            layer="encoder.2",
            layout="b c t",
            teacher=Speaking(False),
            alignment=Causal(),
            loss=loss,
            sample_rate=8000,
        )
    assert not net.encoder[2]._forward_hooks  # type: ignore[union-attr, index]


def test_a_query_that_would_hold_its_answer_is_refused() -> None:
    for delay in (0, -1):
        with pytest.raises(ConfigError, match="`delay` of Causal must be 1 token or more"):
            Causal(delay=delay)


def test_it_is_a_specification() -> None:
    assert isinstance(Causal(), AlignmentSpec)
    assert Causal(delay=2) == Causal(delay=2)
