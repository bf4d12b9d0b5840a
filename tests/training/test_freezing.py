"""Frozen parts stay as they are, down to their running statistics."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cmkt.errors import ConfigError
from cmkt.losses.mae import MAE
from cmkt.training.data import MixtureData
from cmkt.training.freezing import freeze
from cmkt.training.module import EnhancementModule
from tests.training.conftest import SAMPLE_RATE
from tests.training.test_module import fit


class Normed(nn.Module):
    """(B, T) -> (B, T), with running statistics in the part to freeze."""

    sample_rate = SAMPLE_RATE

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv1d(1, 4, 3, padding=1), nn.BatchNorm1d(4))
        self.second = nn.Conv1d(4, 1, 3, padding=1)

    def forward(self, noisy: Tensor) -> Tensor:
        y: Tensor = self.second(self.first(noisy[:, None]))[:, 0]
        return y


def test_only_what_is_not_frozen_is_trained(data: MixtureData) -> None:
    torch.manual_seed(0)
    model = Normed()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fit(EnhancementModule(model, MAE(window_samples=64, hop_samples=32), freeze=["first*"]), data)
    moved = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {"second.weight", "second.bias"}


def test_the_state_of_a_module_with_frozen_parts_has_no_new_names() -> None:
    loss = MAE(window_samples=64, hop_samples=32)
    plain, frozen = EnhancementModule(Normed(), loss), EnhancementModule(Normed(), loss, freeze=["first"])
    assert plain.state_dict().keys() == frozen.state_dict().keys()


def test_a_name_that_does_not_exist_lists_near_ones() -> None:
    with pytest.raises(ConfigError, match="first"):
        freeze(Normed(), ["frist"])


def test_a_model_frozen_whole_is_refused() -> None:
    with pytest.raises(ConfigError, match="leave something"):
        freeze(Normed(), ["*"])
