"""How far a model hears, against what its layers reach."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from cmkt.errors import ConfigError
from cmkt.evaluation.receptive_field import ReceptiveField, receptive_field
from cmkt.models.blstm import BLSTM
from cmkt.models.crn import CRN
from cmkt.models.demucs import Demucs
from cmkt.models.se_mamba import SEMamba

RATE = 8_000


class Convolved(nn.Module):
    """A convolution that reaches `before` samples back and `after` ahead."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.before, self.after = before, after
        self.conv = nn.Conv1d(1, 1, before + after + 1)

    def forward(self, noisy: Tensor) -> Tensor:
        output: Tensor = self.conv(nn.functional.pad(noisy, (self.before, self.after))[:, None])[:, 0]
        return output


class Blocks(nn.Module):
    """Every sample of a block of 40 is the mean of its block."""

    hop_samples = 40

    def forward(self, noisy: Tensor) -> Tensor:
        means = noisy.reshape(1, -1, 40).mean(dim=-1)
        return means.repeat_interleave(40, dim=-1)


class Levelled(nn.Module):
    def forward(self, noisy: Tensor) -> Tensor:
        return noisy / (1 + noisy.abs().mean(dim=-1, keepdim=True))


class Deaf(nn.Module):
    def forward(self, noisy: Tensor) -> Tensor:
        return 0 * noisy + 1


@pytest.mark.parametrize(("before", "after"), [(0, 0), (8, 0), (3, 11)])
def test_a_convolution_hears_as_far_as_its_kernel(before: int, after: int) -> None:
    found = receptive_field(Convolved(before, after), sample_rate=RATE, seconds=0.1)
    assert found == ReceptiveField(past_samples=before, future_samples=after)


def test_the_first_and_the_last_sample_of_a_hop_count() -> None:
    assert receptive_field(Blocks(), sample_rate=RATE, seconds=0.1) == ReceptiveField(39, 39)


def test_a_level_is_heard_from_beginning_to_end() -> None:
    assert receptive_field(Levelled(), sample_rate=RATE, seconds=0.1) == ReceptiveField(None, None)


@pytest.mark.parametrize(
    ("build", "future"),
    [
        (lambda: CRN(channels=(4, 6), hidden=8), 398),
        (lambda: SEMamba(channels=(4, 8), blocks=1, head_width=4, states=3), 398),
        (lambda: Demucs(channels=(16, 24), strides=(4, 4)), 31),
        (lambda: BLSTM(hidden=8, dense=12), None),
    ],
)
def test_recurrent_backbones_hear_the_whole_past_and_as_much_future_as_they_say(
    build: Callable[[], nn.Module], future: int | None
) -> None:
    torch.manual_seed(0)
    assert receptive_field(build(), sample_rate=16_000, seconds=0.2) == ReceptiveField(None, future)


def test_measuring_leaves_the_model_as_it_was() -> None:
    model = Convolved(2, 1).train()
    receptive_field(model, sample_rate=RATE, seconds=0.1)
    assert model.training
    assert model.conv.weight.dtype == torch.float32
    assert model.conv.weight.grad is None


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ConfigError, match="two hops of 40 samples"):
        receptive_field(Blocks(), sample_rate=RATE, seconds=0.009)
    with pytest.raises(ConfigError, match="must depend on the input"):
        receptive_field(Deaf(), sample_rate=RATE, seconds=0.1)
