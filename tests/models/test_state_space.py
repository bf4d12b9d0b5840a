"""A block carries its state and hears nothing later."""

from __future__ import annotations

import torch
from torch import Tensor

from cmkt.models.state_space import StateSpaceBlock


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
