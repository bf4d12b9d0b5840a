from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cmkt.errors import ConfigError
from cmkt.transfer.attention import Attention
from cmkt.transfer.bridge import Bridge
from cmkt.transfer.shift import Shift
from cmkt.types import Frames, Tokens

SECONDS_PER_FRAME = 0.02


def bridge(heads: int = 2) -> Bridge:
    return Attention(heads=heads, width=32 * heads).build(12, 6, seed=0).bridge


def whole(batch: int, count: int) -> Tensor:
    return torch.ones(batch, count, dtype=torch.bool)


def centre_of_mass(matrix: Tensor) -> Tensor:
    return (matrix * torch.arange(matrix.shape[-1])).sum(dim=-1)


def test_constant_frames_give_an_output_that_does_not_depend_on_the_text(frames: Frames, tokens: Tokens) -> None:
    constant = Frames(frames.values[:, :1].expand_as(frames.values), frames.mask, SECONDS_PER_FRAME)
    other = Tokens(torch.randn(tokens.values.shape), tokens.mask)
    first, second = bridge()(constant, tokens)[0], bridge()(constant, other)[0]
    assert torch.allclose(first, second, atol=1e-5)
    assert torch.allclose(first, first[:, :1].expand_as(first), atol=1e-5)


def test_queries_do_choose_frames(frames: Frames, tokens: Tokens) -> None:
    other = Tokens(torch.randn(tokens.values.shape), tokens.mask)
    assert not torch.allclose(bridge()(frames, tokens)[1], bridge()(frames, other)[1], atol=1e-3)


def test_values_carry_no_time(frames: Frames, tokens: Tokens) -> None:
    """With weights that are equal everywhere, reordering the frames changes nothing."""
    module = bridge()
    for parameters in (module.queries, module.position, module.time):
        for parameter in parameters.parameters():
            torch.nn.init.zeros_(parameter)
    full = Frames(frames.values, torch.ones_like(frames.mask), SECONDS_PER_FRAME)
    reversed_frames = Frames(frames.values.flip(1), full.mask, SECONDS_PER_FRAME)
    assert torch.allclose(module(full, tokens)[0], module(reversed_frames, tokens)[0], atol=1e-5)


def test_order_matters_because_keys_carry_time(frames: Frames, tokens: Tokens) -> None:
    full = Frames(frames.values, torch.ones_like(frames.mask), SECONDS_PER_FRAME)
    reversed_frames = Frames(frames.values.flip(1), full.mask, SECONDS_PER_FRAME)
    assert not torch.allclose(bridge()(full, tokens)[0], bridge()(reversed_frames, tokens)[0], atol=1e-3)


def attentive_to_time() -> Bridge:
    """A bridge that looks only at when, sharply: each query at its expected time."""
    module = bridge()
    torch.nn.init.zeros_(module.keys.weight)
    for parameter in (module.queries.weight, module.queries.bias, module.position.weight):
        torch.nn.init.zeros_(parameter)
    module.time.weight.data.mul_(8)
    return module


def test_shifting_the_frames_by_10_moves_the_centre_of_mass_by_10() -> None:
    """Frames delayed by 10 are found 10 frames earlier in the original by an alignment that looks at a time."""
    frames = Frames(torch.randn(1, 200, 12), whole(1, 200), SECONDS_PER_FRAME)
    tokens = Tokens(torch.randn(1, 4, 6), whole(1, 4))
    module = attentive_to_time()
    plain = centre_of_mass(module(frames, tokens)[1])
    assert torch.allclose(plain, torch.tensor([[25.0, 75.0, 125.0, 175.0]]), atol=3.0)
    for amount in (10, -10):
        moved = centre_of_mass(module(frames, tokens, torch.tensor([amount]))[1])
        assert torch.allclose(moved, plain - amount, atol=0.1)


def test_content_that_arrives_10_frames_later_moves_the_centre_of_mass_by_10() -> None:
    values = torch.zeros(1, 200, 12)
    values[0, 60:64] = 3 * torch.randn(12)
    later = values.roll(10, dims=1)
    module = bridge(heads=1)
    torch.nn.init.zeros_(module.time.weight)
    torch.nn.init.zeros_(module.position.weight)
    module.keys.weight.data.mul_(60)
    tokens = Tokens(torch.randn(1, 16, 6), whole(1, 16))
    plain, moved = (module(Frames(x, whole(1, 200), SECONDS_PER_FRAME), tokens)[1] for x in (values, later))
    seen = plain[0, :, 60:64].sum(dim=-1) > 0.99
    assert seen.any()
    assert torch.allclose(centre_of_mass(moved)[0, seen], centre_of_mass(plain)[0, seen] + 10, atol=1.0)


def test_without_time_encoding_a_shift_of_the_frames_would_change_nothing(tokens: Tokens, frames: Frames) -> None:
    module = bridge()
    torch.nn.init.zeros_(module.time.weight)
    long = Frames(frames.values, frames.mask, SECONDS_PER_FRAME)
    tiny = torch.tensor([0, 0, 0])
    assert torch.allclose(module(long, tokens)[1], module(long, tokens, tiny)[1], atol=1e-6)
    kept = module(long, tokens, torch.tensor([10, 10, 10]))[1]
    expected = module(long, tokens)[1]
    for row, count in enumerate((40, 30, 20)):
        inside = expected[row, :, : count - 10]
        assert not kept[row, :, count - 10 :].any()
        assert inside.sum() > 0
        assert kept[row].sum(dim=-1).allclose(torch.ones(8), atol=1e-5)


def test_time_is_in_seconds_not_in_frames() -> None:
    """Half as many frames of twice the length are found at the same times."""
    tokens = Tokens(torch.randn(1, 4, 6), whole(1, 4))
    module = attentive_to_time()
    fine = centre_of_mass(module(Frames(torch.randn(1, 200, 12), whole(1, 200), 0.02), tokens)[1])
    coarse = centre_of_mass(module(Frames(torch.randn(1, 100, 12), whole(1, 100), 0.04), tokens)[1])
    assert torch.allclose(fine * 0.02, coarse * 0.04, atol=0.05)


def test_utterance_without_any_frame_is_finite(tokens: Tokens, frames: Frames) -> None:
    values = frames.values.clone().requires_grad_()
    estimate, matrix = bridge()(Frames(values, torch.zeros_like(frames.mask), SECONDS_PER_FRAME), tokens)
    estimate.sum().backward()
    assert estimate.isfinite().all()
    assert matrix.isfinite().all()
    assert values.grad is not None
    assert values.grad.isfinite().all()


def test_matrix_is_float32_under_autocast(frames: Frames, tokens: Tokens) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        estimate, matrix = bridge()(frames, tokens)
    assert matrix.dtype == torch.float32
    assert estimate.dtype == torch.bfloat16


def test_frames_in_double_precision_are_taken(frames: Frames, tokens: Tokens) -> None:
    double = Frames(frames.values.double(), frames.mask, SECONDS_PER_FRAME)
    assert torch.allclose(bridge()(double, tokens)[0], bridge()(frames, tokens)[0])


@pytest.mark.parametrize(("heads", "width"), [(3, 16), (0, 16), (4, 0)])
def test_width_that_heads_cannot_share_is_an_error(heads: int, width: int) -> None:
    with pytest.raises(ConfigError, match="`width` must be a positive multiple of `heads`"):
        Attention(heads=heads, width=width).build(12, 6, seed=0)


def test_zero_shift_of_frames_is_the_identity(frames: Frames, tokens: Tokens) -> None:
    plain = Attention().build(12, 6, seed=0)(frames, tokens)
    zero = Attention(shift=Shift(frames=(0, 0))).build(12, 6, seed=0)(frames, tokens)
    assert torch.equal(plain.matrix, zero.matrix)
