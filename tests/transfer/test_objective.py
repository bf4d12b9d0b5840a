from __future__ import annotations

from typing import cast

import pytest
import torch

from cmkt.errors import ConfigError
from cmkt.transfer.objective import Reduction, combine, transfer_loss
from cmkt.types import Aligned


def aligned() -> Aligned:
    """Three tokens with distances 0.2, 0.4, 0.9 and one padded; one token with 1.0; no token."""
    distance = torch.tensor([[0.2, 0.4, 0.9, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    return Aligned(distance=distance, counted=distance > 0, matrix=torch.zeros(3, 4, 5))


def test_sum_is_over_tokens_and_then_the_mean_of_utterances_with_text() -> None:
    assert transfer_loss(aligned(), "sum").item() == pytest.approx((1.5 + 1.0) / 2)


def test_mean_is_over_all_counted_tokens() -> None:
    assert transfer_loss(aligned(), "mean").item() == pytest.approx(2.5 / 4)


def test_total_by_hand() -> None:
    total = combine(torch.tensor(0.05), transfer_loss(aligned(), "mean"), 0.7)
    assert total.item() == pytest.approx(0.7 * 0.05 + 0.3 * 0.625)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_nothing_counted_is_a_connected_zero(reduction: Reduction) -> None:
    distance = torch.zeros(2, 0, requires_grad=True)
    loss = transfer_loss(Aligned(distance, torch.zeros(2, 0, dtype=torch.bool), torch.zeros(2, 0, 5)), reduction)
    assert loss.item() == 0.0
    assert loss.requires_grad


def test_unknown_reduction_is_an_error() -> None:
    with pytest.raises(ConfigError, match="`reduction` must be 'mean' or 'sum', but is 'max' instead"):
        transfer_loss(aligned(), cast(Reduction, "max"))
