"""Transfer leaves every model as it was, ours and an outsider's, and the contract notices what does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from cmkt.models.blstm import BLSTM
from cmkt.models.crn import CRN
from cmkt.models.demucs import Demucs
from cmkt.models.dpcrn import DPCRN
from cmkt.models.mp_senet import MPSENet
from cmkt.models.se_mamba import SEMamba
from cmkt.models.tf_conformer import TFConformer
from cmkt.testing.transfer import (
    TRANSFER_CHECKS,
    Place,
    check_checkpointing,
    check_compiled,
    check_copies,
    check_training,
    check_transfer,
    check_untouched,
)


class Outsider(nn.Module):
    """A time-domain network as others write it: a rate of its own, dropout, nothing that we ask of our models."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv1d(1, 16, 32, 16, 8), nn.BatchNorm1d(16), nn.PReLU(), nn.Dropout(0.1))
        self.middle = nn.LSTM(16, 12, batch_first=True, bidirectional=True)
        self.decoder = nn.ConvTranspose1d(24, 1, 32, 16, 8)

    def forward(self, noisy: Tensor) -> Tensor:
        hidden = self.middle(self.encoder(noisy[:, None]).transpose(1, 2))[0]
        estimate: Tensor = self.decoder(hidden.transpose(1, 2))[:, 0]
        return estimate


MODELS: dict[str, tuple[Callable[[], nn.Module], Place]] = {
    "crn": (lambda: CRN(channels=(4, 6), hidden=8), Place("recurrent")),
    "dpcrn": (
        lambda: DPCRN(linear_bins=20, merged_bands=20, channels=(4, 6), kernels=(5, 3), hidden=8),
        Place("recurrent.lstm"),
    ),
    "blstm": (lambda: BLSTM(hidden=8, layers=1, dense=8), Place("dense")),
    "tf_conformer": (
        lambda: TFConformer(channels=(4, 8), blocks=1, heads=2, kernel=3),
        Place("blocks.0", "b t f c"),
    ),
    "demucs": (lambda: Demucs(channels=(4, 6), strides=(4, 4)), Place("recurrent.lstm")),
    "se_mamba": (
        lambda: SEMamba(channels=(4, 8), blocks=1, head_width=4, states=3),
        Place("blocks.0", "b t f c"),
    ),
    "mp_senet": (
        lambda: MPSENet(channels=8, dense=2, blocks=1, heads=2, kernel=3),
        Place("blocks.0", "b t f c"),
    ),
    "outsider": (Outsider, Place("middle", "b t c", 8_000)),
    "outsider_convolution": (Outsider, Place("encoder.2", "b c t", 8_000)),
}


def built(name: str) -> tuple[nn.Module, Place]:
    make, place = MODELS[name]
    torch.manual_seed(0)
    return make(), place


@pytest.mark.parametrize("check", TRANSFER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", MODELS)
def test_transfer_keeps_the_contract(name: str, check: Callable[[nn.Module, Place], None]) -> None:
    check(*built(name))


@pytest.mark.parametrize("name", ["crn", "outsider"])
def test_a_compiled_task_gives_the_same(name: str) -> None:
    torch.compiler.reset()
    check_compiled(*built(name))


def test_the_contract_runs_as_a_whole() -> None:
    check_transfer(*built("outsider"))


@pytest.mark.parametrize("check", TRANSFER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("layer", ["lstm", "*.lstm"])
def test_a_layer_may_be_named_by_its_end_or_a_pattern(layer: str, check: Callable[[nn.Module, Place], None]) -> None:
    check(built("demucs")[0], Place(layer))


def noticed(module: nn.Module, inputs: object, output: object) -> None:
    """A hook of the model's owner."""


@pytest.mark.parametrize("check", TRANSFER_CHECKS, ids=lambda check: check.__name__)
def test_hooks_of_the_owner_are_no_breach(check: Callable[[nn.Module, Place], None]) -> None:
    model, place = built("outsider")
    model.register_forward_hook(noticed)
    check(model, place)


class Counting(Outsider):
    """Hears more the more often it ran."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, noisy: Tensor) -> Tensor:
        self.calls += 1
        return super().forward(noisy * self.calls)


class Rootless(Outsider):
    """Its gradient is not a number."""

    def forward(self, noisy: Tensor) -> Tensor:
        hidden = self.encoder(noisy[:, None]).transpose(1, 2)
        estimate: Tensor = self.decoder(self.middle(hidden + (0.0 * hidden).sqrt())[0].transpose(1, 2))[:, 0]
        return estimate


class Heavy(Outsider):
    """Grows while it is used."""

    diary = ""

    def forward(self, noisy: Tensor) -> Tensor:
        self.diary += 1_000 * "."
        return super().forward(noisy)


@pytest.mark.parametrize(
    ("model", "place", "check", "message"),
    [
        (Counting, Place("middle", "b t c", 8_000), check_untouched, "output must stay"),
        (Rootless, Place("middle", "b t c", 8_000), check_training, "finite"),
        (Heavy, Place("middle", "b t c", 8_000), check_copies, "grew by"),
        (Counting, Place("middle", "b t c", 8_000), check_checkpointing, "checkpointing"),
    ],
)
def test_a_breach_is_noticed(
    model: type[nn.Module], place: Place, check: Callable[[nn.Module, Place], None], message: str
) -> None:
    torch.manual_seed(0)
    with pytest.raises(AssertionError, match=message):
        check(model(), place)
