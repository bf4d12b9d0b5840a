"""A scan in blocks has the right gradients, and the same results wherever blocks end."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from cmkt.models.blocked_scan import BLOCK, LONGEST, scan_in_blocks
from cmkt.models.scan import stepwise_scan


def drawn(sequences: int, steps: int, *, heads: int, states: int, features: int) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(steps)

    def normal(*shape: int) -> Tensor:
        return torch.randn(sequences, *shape, generator=generator, dtype=torch.float64)

    decay = -normal(steps, heads).abs()
    given = (normal(steps, heads, features), decay, normal(steps, states), normal(steps, states))
    return tuple(value.requires_grad_() for value in (*given, normal(heads, states, features)))


def gradients(given: tuple[Tensor, ...], results: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    """Of a weighted sum of the results, so that no two numbers weigh the same."""
    loss = sum((each * torch.linspace(-1, 2, each.numel()).view(each.shape)).sum() for each in results)
    assert isinstance(loss, Tensor)
    return torch.autograd.grad(loss, given)


def assert_is_the_loop(given: tuple[Tensor, ...]) -> None:
    found, wanted = scan_in_blocks(*given), stepwise_scan(*given)
    for a, b in zip((*found, *gradients(given, found)), (*wanted, *gradients(given, wanted)), strict=True):
        torch.testing.assert_close(a, b, atol=1e-11, rtol=1e-11)


def test_the_gradients_are_the_slopes() -> None:
    given = drawn(1, 5, heads=2, states=2, features=1)
    assert torch.autograd.gradcheck(lambda *each: scan_in_blocks(*each, chunk=2), given)


def test_blocks_of_many_sequences_are_the_loop() -> None:
    """Three groups of sequences, the last one smaller."""
    group = BLOCK // (10 * 64)
    assert_is_the_loop(drawn(2 * group + 1, 10, heads=2, states=2, features=32))


def test_blocks_of_long_sequences_are_the_loop() -> None:
    """Each sequence alone, in blocks of chunks, the last one smaller."""
    features = BLOCK // LONGEST
    assert_is_the_loop(drawn(2, 250, heads=1, states=2, features=features))


def test_inputs_in_any_memory_layout_are_the_same() -> None:
    x, decay, write, read, state = drawn(2, 50, heads=2, states=3, features=4)
    lying = x.permute(2, 3, 1, 0).contiguous().permute(3, 2, 0, 1)
    others = [each.mT.contiguous().mT for each in (decay, write, read)]
    for found, wanted in zip(
        scan_in_blocks(lying, others[0], others[1], others[2], state),
        scan_in_blocks(x, decay, write, read, state),
        strict=True,
    ):
        torch.testing.assert_close(found, wanted, atol=1e-14, rtol=0)


def test_the_results_are_no_memory_of_the_inputs_or_of_each_other() -> None:
    given = tuple(value.detach() for value in drawn(2, 30, heads=2, states=3, features=4))
    copies = [value.clone() for value in given]
    y, after = scan_in_blocks(*given)
    again = after.clone()
    y.zero_()
    torch.testing.assert_close(after, again, atol=0, rtol=0)
    for value, before in zip(given, copies, strict=True):
        torch.testing.assert_close(value, before, atol=0, rtol=0)


def test_checkpointing_gives_the_same_gradients() -> None:
    given = drawn(2, 30, heads=2, states=3, features=4)
    wanted = gradients(given, scan_in_blocks(*given))
    found = gradients(given, checkpoint(scan_in_blocks, *given, use_reentrant=False))
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, atol=0, rtol=0)


def test_a_gradient_of_a_gradient_is_an_error_and_not_a_wrong_number() -> None:
    given = drawn(1, 5, heads=1, states=2, features=2)
    y, _ = scan_in_blocks(*given)
    (slope,) = torch.autograd.grad(y.square().sum(), given[0], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()  # type: ignore[no-untyped-call]
