from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from cmkt.transfer.transport import temporal_log_prior, transport_rows


def whole(batch: int, count: int) -> Tensor:
    return torch.ones(batch, count, dtype=torch.bool)


def plan(cost: Tensor, *, entropy: float = 0.1, iterations: int = 100, log_prior: Tensor | None = None) -> Tensor:
    batch, tokens, frames = cost.shape
    return transport_rows(
        cost,
        torch.zeros_like(cost) if log_prior is None else log_prior,
        tokens=whole(batch, tokens),
        frames=whole(batch, frames),
        entropy=entropy,
        iterations=iterations,
    )


def test_two_by_two_by_hand() -> None:
    """For the cost (0, c; c, 0) symmetry gives (p, 1 - p; 1 - p, p) with p / (1 - p) = exp(c / eps)."""
    rows = plan(torch.tensor([[[0.0, 0.3], [0.3, 0.0]]]), entropy=0.2)
    kept = 1 / (1 + math.exp(-0.3 / 0.2))
    assert torch.allclose(rows, torch.tensor([[[kept, 1 - kept], [1 - kept, kept]]]), atol=1e-6)


def test_every_frame_is_used_equally_and_every_token_gets_its_share() -> None:
    rows = plan(torch.rand(2, 5, 30, generator=torch.Generator().manual_seed(0)))
    assert torch.allclose(rows.sum(dim=2), torch.ones(2, 5))
    assert torch.allclose(rows.sum(dim=1), torch.full((2, 30), 5 / 30), atol=1e-4)


def test_a_small_entropy_gives_the_best_assignment() -> None:
    cost = torch.tensor([[[0.9, 0.1, 0.5], [0.2, 0.8, 0.9], [0.7, 0.6, 0.0]]])
    rows = plan(cost, entropy=0.01, iterations=200)
    assert rows[0].argmax(dim=1).tolist() == [1, 0, 2]
    assert float(rows.amax(dim=2).min()) > 0.99


def test_a_large_entropy_gives_the_prior() -> None:
    """Which is balanced here, so that the plan is the prior itself."""
    prior = torch.tensor([[[0.8, 0.2], [0.2, 0.8]]])
    rows = plan(torch.rand(1, 2, 2), entropy=1e6, log_prior=prior.log())
    assert torch.allclose(rows, prior, atol=1e-5)


def test_what_is_added_to_a_row_or_a_column_of_the_cost_changes_nothing() -> None:
    """A direction that all teacher vectors share, or a loud frame, therefore does not decide the plan."""
    cost = torch.rand(1, 4, 9, generator=torch.Generator().manual_seed(1))
    moved = cost + torch.rand(1, 4, 1) + torch.rand(1, 1, 9)
    assert torch.allclose(plan(cost, iterations=300), plan(moved, iterations=300), atol=1e-4)


def test_few_iterations_suffice_for_the_default_entropy() -> None:
    generator = torch.Generator().manual_seed(0)
    z, v = (torch.nn.functional.normalize(torch.randn(1, n, 64, generator=generator), dim=-1) for n in (20, 300))
    tokens, frames = whole(1, 20), whole(1, 300)
    rows = transport_rows(
        1 - z @ v.transpose(1, 2),
        temporal_log_prior(tokens, frames, width=0.1),
        tokens=tokens,
        frames=frames,
        entropy=0.1,
        iterations=10,
    )
    assert torch.allclose(rows.sum(dim=1) * 300 / 20, torch.ones(1, 300), atol=0.02)


@pytest.mark.parametrize("entropy", [1e-3, 0.1])
def test_masked_and_empty_utterances_are_finite_and_do_not_disturb_others(entropy: float) -> None:
    cost = torch.rand(3, 4, 10, generator=torch.Generator().manual_seed(2)) * 2
    tokens = torch.arange(4) < torch.tensor([[3], [0], [2]])
    frames = torch.arange(10) < torch.tensor([[7], [5], [0]])
    rows = transport_rows(cost, torch.zeros_like(cost), tokens=tokens, frames=frames, entropy=entropy, iterations=10)
    assert rows.isfinite().all()
    assert not rows[0, :3, 7:].any()
    alone = plan(cost[:1, :3, :7], entropy=entropy, iterations=10)
    assert torch.allclose(rows[:1, :3, :7], alone, atol=1e-5)


def test_no_gradient_flows_through_the_plan() -> None:
    assert not plan(torch.rand(1, 2, 3, requires_grad=True)).requires_grad


def test_prior_by_hand() -> None:
    """Two tokens stand at 1/4 and 3/4; of two frames as well."""
    prior = temporal_log_prior(whole(1, 2), whole(1, 2), width=0.5)
    assert torch.allclose(prior, torch.tensor([[[0.0, -0.5], [-0.5, 0.0]]]))


def test_prior_counts_each_utterances_own_tokens_and_frames() -> None:
    tokens = torch.tensor([[True, True, False]])
    frames = torch.tensor([[True, True, False, False]])
    prior = temporal_log_prior(tokens, frames, width=0.5)
    assert torch.allclose(prior[:, :2, :2], temporal_log_prior(whole(1, 2), whole(1, 2), width=0.5))


def test_displaced_frames_are_expected_later() -> None:
    prior = temporal_log_prior(whole(1, 1), whole(1, 9), width=0.1, displacement=torch.tensor([2]))
    assert int(prior.argmax()) == 4 - 2
