from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cmkt.errors import ConfigError
from cmkt.transfer.calling import calling_of, check_lengths


class WithLengths(nn.Module):
    def forward(self, noisy: Tensor, lengths: Tensor | None = None) -> Tensor:
        assert lengths is not None
        return noisy * lengths[:, None]


class Truncating(nn.Module):
    def forward(self, noisy: Tensor) -> Tensor:
        return noisy[:, :-1]


class Talkative(nn.Module):
    def forward(self, noisy: Tensor) -> tuple[Tensor, Tensor]:
        return noisy, noisy


def test_lengths_go_only_to_models_that_take_them() -> None:
    noisy, lengths = torch.ones(2, 3), torch.tensor([3, 2])
    assert calling_of(WithLengths()).enhance(WithLengths(), noisy, lengths)[1].tolist() == [2.0, 2.0, 2.0]
    assert calling_of(nn.Identity()).enhance(nn.Identity(), noisy, lengths).equal(noisy)


def test_a_model_that_changes_the_length_is_an_error_with_both_shapes() -> None:
    with pytest.raises(ConfigError, match=r"shape \(2, 3\), but Truncating returned \(2, 2\)"):
        calling_of(Truncating()).enhance(Truncating(), torch.ones(2, 3), torch.tensor([3, 3]))


def test_a_model_that_returns_a_tuple_is_an_error() -> None:
    with pytest.raises(ConfigError, match="one tensor, but Talkative returned tuple"):
        calling_of(Talkative()).enhance(Talkative(), torch.ones(2, 3), torch.tensor([3, 3]))


def test_lengths_default_to_the_whole_batch() -> None:
    assert check_lengths(None, torch.zeros(2, 5)).tolist() == [5, 5]


@pytest.mark.parametrize("lengths", [[5], [0, 5], [5, 6], [[5, 5]]])
def test_lengths_that_do_not_fit_are_an_error(lengths: list[int]) -> None:
    with pytest.raises(ConfigError, match="`lengths` must"):
        check_lengths(torch.tensor(lengths), torch.zeros(2, 5))


def test_a_waveform_with_a_channel_axis_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"`noisy` must be \(utterances, samples\)"):
        check_lengths(None, torch.zeros(2, 1, 5))
