from __future__ import annotations

import math

import torch
from torch import nn

from cmkt.transfer.alignment import AlignmentSpec, cosine_distance, seeded_build
from cmkt.transfer.attention import Attention


def test_distance_of_three_tokens_by_hand_with_padding() -> None:
    estimate = torch.tensor([[[2.0, 0.0], [1.0, 1.0], [-3.0, 0.0], [5.0, 5.0]]], requires_grad=True)
    target = torch.tensor([[[1.0, 0.0], [0.0, 2.0], [1.0, 0.0], [0.0, 0.0]]])
    distance = cosine_distance(estimate, target, torch.tensor([[True, True, True, False]]))
    assert torch.allclose(distance, torch.tensor([[0.0, 1 - 1 / math.sqrt(2), 2.0, 0.0]]))


def test_distance_has_finite_gradients_at_zero_vectors() -> None:
    estimate = torch.zeros(1, 2, 3, requires_grad=True)
    cosine_distance(estimate, torch.zeros(1, 2, 3), torch.tensor([[True, False]])).sum().backward()  # type: ignore[no-untyped-call]
    assert estimate.grad is not None
    assert estimate.grad.isfinite().all()


def test_distance_of_half_precision_vectors_is_float32() -> None:
    half = torch.ones(1, 1, 4, dtype=torch.bfloat16)
    distance = cosine_distance(half, half, torch.ones(1, 1, dtype=torch.bool))
    assert distance.dtype == torch.float32
    assert abs(float(distance)) < 1e-6


def test_seeded_build_leaves_the_random_state_alone() -> None:
    state = torch.get_rng_state()
    with seeded_build(7):
        first = nn.Linear(3, 3)
    with seeded_build(7):
        second = nn.Linear(3, 3)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.weight, second.weight)


def test_attention_is_a_specification() -> None:
    assert isinstance(Attention(), AlignmentSpec)
