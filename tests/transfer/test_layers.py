"""The list of layers tells what attaching to each of them would find."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cmkt.models.blstm import BLSTM
from cmkt.models.crn import CRN
from cmkt.models.dpcrn import DPCRN
from cmkt.models.tf_conformer import TFConformer
from cmkt.transfer.calling import calling_of
from cmkt.transfer.inspection import inspect_layer
from cmkt.transfer.layers import list_layers, recommended
from cmkt.transfer.layout import reading_of

RATE = 16_000


class Outsider(nn.Module):
    """Convolutions (b c t), one of them called twice, one never, a norm over (b t c), and a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Conv1d(1, 24, 160, stride=160)
        self.twice = nn.ReLU()
        self.never = nn.Linear(3, 3)
        self.named = Named()
        self.norm = nn.LayerNorm(24)
        self.decode = nn.Linear(24, 160)

    def forward(self, noisy: Tensor) -> Tensor:
        x = self.twice(self.twice(self.encode(noisy[:, None])))
        y: Tensor = self.decode(self.norm(self.named(x)["frames"].transpose(1, 2))).flatten(1)
        return y[:, : noisy.shape[-1]]


class Named(nn.Module):
    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"frames": x}


class Chunked(nn.Module):
    """Works in chunks of a second: one call for a short signal, several for a long one."""

    def __init__(self) -> None:
        super().__init__()
        self.filter = nn.Conv1d(1, 1, 1)

    def forward(self, noisy: Tensor) -> Tensor:
        return torch.cat([self.filter(chunk[:, None])[:, 0] for chunk in torch.split(noisy, RATE, dim=-1)], dim=-1)


def small_dpcrn() -> DPCRN:
    return DPCRN(linear_bins=20, merged_bands=20, channels=(4, 6), kernels=(5, 3), hidden=16)


def test_layouts_and_reasons_of_a_model_that_nobody_here_wrote() -> None:
    reports = {report.name: report for report in list_layers(Outsider(), sample_rate=RATE)}
    assert [reports[name].layout for name in ("encode", "norm", "decode")] == ["b c t", "b t c", "b t c"]
    assert reports["encode"].frames_per_second == pytest.approx(100)
    assert reports["encode"].width == 24
    problems = {name: report.problem for name, report in reports.items() if report.problem}
    assert problems == {"twice": "called 2 times", "never": "not called", "named": "returns dict"}


@pytest.mark.parametrize(
    "model", [CRN(channels=(4, 6), hidden=16), small_dpcrn(), BLSTM(hidden=16, dense=24), Outsider()]
)
def test_attaching_agrees_with_every_line(model: nn.Module) -> None:
    usable = [report for report in list_layers(model, sample_rate=RATE) if report.problem is None]
    assert usable
    for report in usable:
        assert report.layout is not None
        facts = inspect_layer(
            model,
            calling_of(model),
            layer=report.name,
            reading=reading_of(report.layout, report.name),
            sample_rate=RATE,
        )
        assert facts.width == report.width
        assert 1 / facts.seconds_per_frame == pytest.approx(report.frames_per_second)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (CRN(), "recurrent.gru"),
        (DPCRN(), "recurrent.lstm"),
        (BLSTM(), "dense"),
        (TFConformer(channels=(4, 8, 8), blocks=2, heads=2, kernel=3), "blocks.1"),
        (Outsider(), "norm"),
        (nn.Sequential(Outsider()), "0.norm"),
        (nn.Sequential(nn.Identity()), None),
    ],
)
def test_the_recommended_layer(model: nn.Module, name: str | None) -> None:
    best = recommended(list_layers(model, sample_rate=RATE), model)
    assert (best and best.name) == name


def test_bands_folded_into_the_batch_are_no_layout() -> None:
    reports = {report.name: report for report in list_layers(small_dpcrn(), sample_rate=RATE)}
    assert reports["blocks.0.intra"].problem is not None
    assert reports["blocks.0"].layout == "b t f c"


def test_a_layer_that_fails_at_the_longer_length_only_tells_why() -> None:
    (report,) = list_layers(Chunked(), sample_rate=RATE)
    assert report.problem == "called 3 times"


def test_the_model_is_left_as_it_was() -> None:
    model = Outsider().train()
    model.norm.eval()
    before = torch.get_rng_state()
    list_layers(model, sample_rate=RATE)
    assert model.training
    assert not model.norm.training
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(module._forward_hooks for module in model.modules())
