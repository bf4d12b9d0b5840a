"""Every way to scan is the loop over steps, with its gradients, wherever it runs."""

from __future__ import annotations

from typing import Protocol

import pytest
import torch
from torch import Tensor

from cmkt.models.blocked_scan import scan_in_blocks
from cmkt.models.scan import chunked_scan, scan_at_once, stepwise_scan


class InChunks(Protocol):
    """Of at most so many steps."""

    def __call__(
        self, x: Tensor, decay: Tensor, write: Tensor, read: Tensor, state: Tensor, *, chunk: int = ...
    ) -> tuple[Tensor, Tensor]: ...


both = pytest.mark.parametrize("scan", [scan_at_once, scan_in_blocks])


def drawn(steps: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Of a scan with 3 sequences, 4 heads, 5 states and 6 features."""
    generator = torch.Generator().manual_seed(steps)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    decay = -normal(3, steps, 4).abs()
    return normal(3, steps, 4, 6), decay, normal(3, steps, 5), normal(3, steps, 5), normal(3, 4, 5, 6)


def tracked(given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(value.requires_grad_() for value in given)


def gradients(given: tuple[Tensor, ...], results: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    """Of the sum of squares of the results."""
    return torch.autograd.grad(results[0].square().sum() + results[1].square().sum(), given)


def test_the_loop_is_the_recurrence_worked_by_hand() -> None:
    """One head, state and feature: h = e^-1 * 2 + 3 * 5, then e^-2 h + 7 * 11; read by 1 and by 0.5."""
    x, write = torch.tensor([5.0, 11.0]).reshape(1, 2, 1, 1), torch.tensor([3.0, 7.0]).reshape(1, 2, 1)
    decay, read = torch.tensor([-1.0, -2.0]).reshape(1, 2, 1), torch.tensor([1.0, 0.5]).reshape(1, 2, 1)
    y, state = stepwise_scan(x, decay, write, read, torch.full((1, 1, 1, 1), 2.0))
    first = 2 / torch.e + 15
    second = first / torch.e**2 + 77
    torch.testing.assert_close(y.flatten(), torch.tensor([first, second / 2]))
    torch.testing.assert_close(state.flatten(), torch.tensor([second]))


@both
@pytest.mark.parametrize("steps", [1, 2, 7, 8, 9, 16, 50])
@pytest.mark.parametrize("chunk", [1, 3, 8, 64])
def test_a_scan_in_chunks_is_the_loop_over_steps(scan: InChunks, steps: int, chunk: int) -> None:
    given = drawn(steps)
    for found, wanted in zip(scan(*given, chunk=chunk), stepwise_scan(*given), strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-13, rtol=1e-13)


@both
@pytest.mark.parametrize("chunk", [1, 8, 64])
def test_the_gradients_are_those_of_the_loop(scan: InChunks, chunk: int) -> None:
    given = tracked(drawn(21))
    wanted, found = gradients(given, stepwise_scan(*given)), gradients(given, scan(*given, chunk=chunk))
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, atol=1e-11, rtol=1e-11)


@both
def test_a_sequence_in_two_parts_with_the_state_passed_on_is_the_whole(scan: InChunks) -> None:
    x, decay, write, read, state = drawn(37)
    whole, last = scan(x, decay, write, read, state, chunk=8)
    first, between = scan(x[:, :11], decay[:, :11], write[:, :11], read[:, :11], state, chunk=8)
    second, end = scan(x[:, 11:], decay[:, 11:], write[:, 11:], read[:, 11:], between, chunk=8)
    torch.testing.assert_close(torch.cat((first, second), dim=1), whole, atol=1e-11, rtol=0)
    torch.testing.assert_close(end, last, atol=1e-11, rtol=0)


@both
@pytest.mark.parametrize("decay", [0.0, -1e-6, -50.0, -1e4])
def test_any_decay_gives_finite_values_and_gradients_in_single_precision(scan: InChunks, decay: float) -> None:
    x, _, write, read, state = (value.float() for value in drawn(300))
    decays = torch.full((3, 300, 4), decay, requires_grad=True)
    y, after = scan(x, decays, write, read, state)
    (gradient,) = torch.autograd.grad(y.square().mean() + after.square().mean(), decays)
    assert y.isfinite().all()
    assert gradient.isfinite().all()


@both
def test_without_a_past_nothing_is_left_of_it(scan: InChunks) -> None:
    """A decay of -1e4 forgets everything: each output is what its own step wrote."""
    x, _, write, read, state = drawn(40)
    y, _ = scan(x, torch.full((3, 40, 4), -1e4, dtype=torch.float64), write, read, state, chunk=8)
    wanted = (write * read).sum(dim=-1)[..., None, None] * x
    torch.testing.assert_close(y, wanted, atol=1e-11, rtol=0)


def scanned(x: Tensor, decay: Tensor, write: Tensor, read: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    return chunked_scan(x, decay, write, read, state)


@pytest.mark.parametrize("steps", [1, 30, 100])
def test_the_scan_of_the_models_is_the_loop(steps: int) -> None:
    given = tracked(drawn(steps))
    for found, wanted in zip(chunked_scan(*given), stepwise_scan(*given), strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-13, rtol=1e-13)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_a_trace_of_one_length_is_the_loop_at_another() -> None:
    traced = torch.jit.trace(scanned, drawn(5), check_trace=False)  # type: ignore[no-untyped-call]
    for steps in (1, 33, 80):
        for found, wanted in zip(traced(*drawn(steps)), stepwise_scan(*drawn(steps)), strict=True):
            torch.testing.assert_close(found, wanted, atol=1e-12, rtol=1e-12)


def test_in_mixed_precision_it_is_near_the_loop() -> None:
    x, decay, write, read, state = (value.float() for value in drawn(45))
    with torch.autocast("cpu", torch.bfloat16):
        found, _ = chunked_scan(x, decay, write.bfloat16(), read.bfloat16(), state)
    wanted, _ = stepwise_scan(x, decay, write, read, state)
    assert float((found - wanted).norm() / wanted.norm()) < 0.02
