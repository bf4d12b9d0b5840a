from __future__ import annotations

import pytest
import torch

from cmkt.errors import ConfigError
from cmkt.transfer.shift import Shift, displace_mask, shift_tokens

CPU = torch.device("cpu")


def test_shift_by_zero_is_identity() -> None:
    values = torch.randn(2, 3, 4)
    assert shift_tokens(values, 0) is values
    assert Shift().draw_frames(2, generator=None, device=CPU) is None


def test_row_t_comes_from_row_t_minus_k() -> None:
    values = torch.tensor([[[1.0], [2.0], [3.0]]])
    assert shift_tokens(values, 1).flatten().tolist() == [0.0, 1.0, 2.0]
    assert shift_tokens(values, -1).flatten().tolist() == [2.0, 3.0, 0.0]


def test_masks_shift_too() -> None:
    mask = torch.tensor([[True, True, False]])
    assert shift_tokens(mask, 1).tolist() == [[False, True, True]]
    assert shift_tokens(mask, -1).tolist() == [[True, False, False]]


@pytest.mark.parametrize("tokens", [3, 9, -3, -9])
def test_shift_beyond_the_sentence_leaves_zeros_on_the_graph(tokens: int) -> None:
    values = torch.randn(2, 3, 4, requires_grad=True)
    shifted = shift_tokens(values, tokens)
    assert shifted.shape == values.shape
    assert not shifted.any()
    assert shifted.requires_grad


def test_draws_stay_in_the_range_reach_its_ends_and_follow_the_generator() -> None:
    shift = Shift(frames=(-2, 3))
    first, again = (shift.draw_frames(500, generator=torch.Generator().manual_seed(4), device=CPU) for _ in range(2))
    assert first is not None
    assert again is not None
    assert first.equal(again)
    assert (int(first.min()), int(first.max())) == (-2, 3)


def test_token_shifts_are_drawn_as_frames_are() -> None:
    shift = Shift(tokens=(-1, 2))
    first, again = (shift.draw_tokens(200, generator=torch.Generator().manual_seed(4), device=CPU) for _ in range(2))
    assert isinstance(first, torch.Tensor)
    assert isinstance(again, torch.Tensor)
    assert first.equal(again)
    assert (int(first.min()), int(first.max())) == (-1, 2)
    assert Shift(tokens=3).draw_tokens(5, generator=None, device=CPU) == 3
    assert Shift(tokens=(3, 3)).draw_tokens(5, generator=None, device=CPU) == 3


def test_each_utterance_is_shifted_by_its_own_amount() -> None:
    generator = torch.Generator().manual_seed(0)
    amounts = torch.tensor([0, 1, -2, 9, -9])
    for values in (torch.randn(5, 4, 3, generator=generator), torch.rand(5, 4, generator=generator) > 0.5):
        shifted = shift_tokens(values, amounts)
        assert shifted.dtype == values.dtype
        for row, amount in enumerate(amounts.tolist()):
            assert torch.equal(shifted[row], shift_tokens(values[row : row + 1], amount)[0])
    assert shift_tokens(torch.zeros(5, 0, 3), amounts).shape == (5, 0, 3)


def test_a_fixed_displacement_needs_no_generator() -> None:
    for frames in (4, (4, 4)):
        drawn = Shift(frames=frames).draw_frames(3, generator=None, device=CPU)
        assert drawn is not None
        assert drawn.tolist() == [4, 4, 4]


def test_a_drawn_displacement_without_generator_is_an_error() -> None:
    with pytest.raises(ConfigError, match="`generator` must be given"):
        Shift(frames=(0, 1)).draw_frames(3, generator=None, device=CPU)
    with pytest.raises(ConfigError, match="`generator` must be given"):
        Shift(tokens=(0, 1)).draw_tokens(3, generator=None, device=CPU)


def test_a_range_that_runs_backwards_is_an_error() -> None:
    for name in ("frames", "tokens"):
        with pytest.raises(ConfigError, match=f"`{name}` of Shift must be .* low <= high"):
            Shift(**{name: (3, 1)})  # type: ignore[arg-type]


def test_displaced_frames_leave_the_utterance_and_padding_never_comes_in() -> None:
    mask = torch.tensor([[True, True, True, True], [True, True, False, False], [True, True, True, False]])
    assert displace_mask(mask, torch.tensor([1, 1, -2])).int().tolist() == [[1, 1, 1, 0], [1, 0, 0, 0], [0, 0, 1, 0]]
    assert not displace_mask(mask, torch.tensor([9, -9, 3])).any()


def test_shift_is_a_value() -> None:
    assert Shift(tokens=1) == Shift(1, (0, 0))
    assert len({Shift(), Shift(tokens=1), Shift()}) == 2
