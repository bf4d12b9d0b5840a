from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cmkt.errors import ConfigError
from cmkt.evaluation.cost import count_parameters, macs_per_second, processor_name, real_time_factor
from cmkt.inference.enhancer import TorchEnhancer
from cmkt.inference.load import load

RATE = 8000


class Framed(nn.Module):
    """(B, T) -> (B, T) by a layer between frames of 80 samples."""

    sample_rate = RATE

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.encode = nn.Conv1d(1, 6, 80, stride=80, bias=False)
        self.inner = inner
        self.decode = nn.Linear(6, 80, bias=False)
        self.rows = 0

    def forward(self, noisy: Tensor) -> Tensor:
        self.rows = noisy.shape[0]
        inner = self.inner(self.encode(noisy[:, None]).transpose(1, 2))
        inner = inner[0] if isinstance(inner, tuple) else inner
        enhanced: Tensor = self.decode(inner).flatten(1)
        return enhanced


FRAMES = RATE // 80
AROUND = FRAMES * (80 * 6 + 6 * 80)


@pytest.mark.parametrize(
    ("inner", "macs"),
    [
        (nn.Identity(), 0),
        (nn.Linear(6, 6), FRAMES * 36),
        (nn.GRU(6, 6, batch_first=True), FRAMES * 3 * 6 * 12),
        (nn.LSTM(6, 6, batch_first=True), FRAMES * 4 * 6 * 12),
        (nn.LSTM(6, 3, batch_first=True, bidirectional=True), FRAMES * 2 * 4 * 3 * 9),
        (
            nn.TransformerEncoderLayer(6, 2, 12, batch_first=True),
            FRAMES * (4 * 36 + 2 * 6 * 12) + 2 * 6 * FRAMES * FRAMES,
        ),
    ],
    ids=["nothing", "linear", "gru", "lstm", "bidirectional", "transformer"],
)
def test_macs_are_those_of_the_formulas(inner: nn.Module, macs: int) -> None:
    assert macs_per_second(Framed(inner), sample_rate=RATE, seconds=1.0) == AROUND + macs


def test_macs_of_a_second_do_not_depend_on_how_many_are_heard_without_attention() -> None:
    model = Framed(nn.LSTM(6, 6, batch_first=True))
    assert macs_per_second(model, sample_rate=RATE, seconds=4.0) == macs_per_second(
        model, sample_rate=RATE, seconds=1.0
    )


def test_counting_leaves_model_and_torch_as_they_were() -> None:
    model = Framed(nn.LSTM(6, 6, batch_first=True)).train()
    before = torch.backends.mkldnn.enabled, torch.backends.mha.get_fastpath_enabled()
    macs_per_second(model, sample_rate=RATE, seconds=0.5)
    assert model.training
    assert (torch.backends.mkldnn.enabled, torch.backends.mha.get_fastpath_enabled()) == before


def test_a_model_that_returns_something_else_is_refused() -> None:
    with pytest.raises(ConfigError, match="must return"):
        macs_per_second(nn.Conv1d(1, 2, 1), sample_rate=RATE, seconds=0.5)


def test_shared_parameters_count_once() -> None:
    layer = nn.Linear(3, 4)
    assert count_parameters(nn.ModuleList([layer, layer])) == 16


def test_the_default_model_has_the_size_that_its_card_tells() -> None:
    model = load("default", device="cpu").model
    assert count_parameters(model) == 317_572
    assert 90e6 < macs_per_second(model, sample_rate=16_000, seconds=1.0) < 100e6


def test_a_real_time_factor_is_the_time_of_the_runs_that_were_made() -> None:
    model = Framed(nn.Identity())
    threads = torch.get_num_threads()
    assert real_time_factor(TorchEnhancer(model), seconds=0.5, runs=2) >= 0
    assert model.rows == 1
    assert torch.get_num_threads() == threads
    for asked in ({"seconds": 0.0}, {"runs": 0}):
        with pytest.raises(ConfigError, match="must be positive"):
            real_time_factor(TorchEnhancer(model), **asked)


def test_a_processor_has_a_name() -> None:
    assert processor_name()
    assert np.all([character.isprintable() for character in processor_name()])
