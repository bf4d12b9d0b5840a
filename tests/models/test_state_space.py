"""The chunked scan is the loop over steps, and a block carries its state."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cmkt.models.state_space import StateSpaceBlock, chunked_scan, stepwise_scan


def drawn(steps: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Of a scan with 3 sequences, 4 heads, 5 states and 6 features."""
    generator = torch.Generator().manual_seed(steps)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    decay = -normal(3, steps, 4).abs()
    return normal(3, steps, 4, 6), decay, normal(3, steps, 5), normal(3, steps, 5), normal(3, 4, 5, 6)


def test_the_loop_is_the_recurrence_worked_by_hand() -> None:
    """One head, state and feature: h = e^-1 * 2 + 3 * 5, then e^-2 h + 7 * 11; read by 1 and by 0.5."""
    x, write = torch.tensor([5.0, 11.0]).reshape(1, 2, 1, 1), torch.tensor([3.0, 7.0]).reshape(1, 2, 1)
    decay, read = torch.tensor([-1.0, -2.0]).reshape(1, 2, 1), torch.tensor([1.0, 0.5]).reshape(1, 2, 1)
    y, state = stepwise_scan(x, decay, write, read, torch.full((1, 1, 1, 1), 2.0))
    first = 2 / torch.e + 15
    second = first / torch.e**2 + 77
    torch.testing.assert_close(y.flatten(), torch.tensor([first, second / 2]))
    torch.testing.assert_close(state.flatten(), torch.tensor([second]))


@pytest.mark.parametrize("steps", [1, 2, 7, 8, 9, 16, 50])
@pytest.mark.parametrize("chunk", [1, 3, 8, 64])
def test_the_chunked_scan_is_the_loop_over_steps(steps: int, chunk: int) -> None:
    given = drawn(steps)
    for found, wanted in zip(chunked_scan(*given, chunk=chunk), stepwise_scan(*given), strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-11, rtol=0)


def test_the_gradients_are_those_of_the_loop() -> None:
    given = [value.requires_grad_() for value in drawn(21)]
    losses = [sum(part.square().sum() for part in scan(*given)) for scan in (stepwise_scan, chunked_scan)]
    wanted, found = (torch.autograd.grad(loss, given) for loss in losses if isinstance(loss, Tensor))
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, atol=1e-9, rtol=1e-9)


def test_a_sequence_in_two_parts_with_the_state_passed_on_is_the_whole() -> None:
    x, decay, write, read, state = drawn(37)
    whole, last = chunked_scan(x, decay, write, read, state, chunk=8)
    first, between = chunked_scan(x[:, :11], decay[:, :11], write[:, :11], read[:, :11], state, chunk=8)
    second, end = chunked_scan(x[:, 11:], decay[:, 11:], write[:, 11:], read[:, 11:], between, chunk=8)
    torch.testing.assert_close(torch.cat((first, second), dim=1), whole, atol=1e-11, rtol=0)
    torch.testing.assert_close(end, last, atol=1e-11, rtol=0)


@pytest.mark.parametrize("decay", [0.0, -1e-6, -50.0, -1e4])
def test_any_decay_gives_finite_values_and_gradients_in_single_precision(decay: float) -> None:
    x, _, write, read, state = (value.float() for value in drawn(300))
    decays = torch.full((3, 300, 4), decay, requires_grad=True)
    y, after = chunked_scan(x, decays, write, read, state)
    (gradient,) = torch.autograd.grad(y.square().mean() + after.square().mean(), decays)
    assert y.isfinite().all()
    assert gradient.isfinite().all()


def test_without_a_past_nothing_is_left_of_it() -> None:
    """A decay of -1e4 forgets everything: each output is what its own step wrote."""
    x, _, write, read, state = drawn(40)
    y, _ = chunked_scan(x, torch.full((3, 40, 4), -1e4, dtype=torch.float64), write, read, state, chunk=8)
    wanted = (write * read).sum(dim=-1)[..., None, None] * x
    torch.testing.assert_close(y, wanted, atol=1e-11, rtol=0)


def block() -> StateSpaceBlock:
    torch.manual_seed(0)
    return StateSpaceBlock(6, expansion=2, head_width=4, states=3, kernel=4).double()


def test_a_block_in_parts_is_the_whole_and_hears_nothing_later() -> None:
    layer = block()
    x = torch.randn(2, 30, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    whole, *_ = layer(x, *layer.initial_state(2))
    past, state = layer.initial_state(2)
    parts: list[Tensor] = []
    for size in (1, 1, 5, 23):
        start = sum(part.shape[1] for part in parts)
        y, past, state = layer(x[:, start : start + size], past, state)
        parts.append(y)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-12, rtol=0)
    later = x.clone()
    later[:, 20:] += 1.0
    changed, *_ = layer(later, *layer.initial_state(2))
    torch.testing.assert_close(changed[:, :20], whole[:, :20], atol=1e-14, rtol=0)
    assert not torch.allclose(changed[:, 20:], whole[:, 20:])


def test_fresh_steps_and_rates_are_those_of_the_papers() -> None:
    layer = StateSpaceBlock(32, expansion=2, head_width=16, states=16, kernel=4)
    sizes = torch.nn.functional.softplus(layer.step_bias)
    torch.testing.assert_close(sizes[[0, -1]], torch.tensor([0.001, 0.1]), rtol=1e-3, atol=0)
    torch.testing.assert_close(layer.log_rate.exp()[[0, -1]], torch.tensor([1.0, 16.0]))
