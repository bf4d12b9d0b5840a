"""What every backbone must do, on small versions of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from cmkt.models.blstm import BLSTM
from cmkt.models.crn import CRN


def small_crn() -> CRN:
    return CRN(channels=(4, 6), hidden=8)


def small_blstm() -> BLSTM:
    return BLSTM(hidden=8, dense=12)


BACKBONES: list[Callable[[], nn.Module]] = [small_crn, small_blstm]


def speech_like(batch: int, samples: int) -> torch.Tensor:
    return 0.1 * torch.randn(batch, samples, generator=torch.Generator().manual_seed(samples))


@pytest.mark.parametrize("build", BACKBONES)
@pytest.mark.parametrize("samples", [1, 2, 199, 200, 401, 5000])
def test_length_is_kept_for_any_length(build: Callable[[], nn.Module], samples: int) -> None:
    assert build().eval()(speech_like(2, samples)).shape == (2, samples)


@pytest.mark.parametrize("build", BACKBONES)
@pytest.mark.parametrize("value", [0.0, 1.0, 1e-9])
def test_output_is_finite_on_constant_input(build: Callable[[], nn.Module], value: float) -> None:
    assert build().eval()(torch.full((1, 4000), value)).isfinite().all()


@pytest.mark.parametrize("build", BACKBONES)
def test_silence_has_finite_gradients(build: Callable[[], nn.Module]) -> None:
    model = build()
    model(torch.zeros(2, 4000)).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("build", BACKBONES)
def test_every_parameter_gets_a_gradient(build: Callable[[], nn.Module]) -> None:
    model = build()
    model(speech_like(2, 4000)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize("build", BACKBONES)
def test_a_batch_equals_its_members_and_padding_changes_nothing(build: Callable[[], nn.Module]) -> None:
    model = build().eval()
    x, lengths = speech_like(2, 5000), torch.tensor([5000, 3210])
    x[1, 3210:] = 0
    y = model(x, lengths)
    torch.testing.assert_close(y[:1], model(x[:1]), atol=1e-5, rtol=0)
    torch.testing.assert_close(y[1:, :3210], model(x[1:, :3210]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("build", BACKBONES)
def test_init_args_rebuild_the_same_model(build: Callable[[], nn.Module]) -> None:
    model = build().eval()
    init_args: Any = model.init_args
    again = type(model)(**init_args).eval()
    again.load_state_dict(model.state_dict())
    x = speech_like(1, 3000)
    torch.testing.assert_close(again(x), model(x))


def test_crn_is_causal_within_its_window() -> None:
    model = small_crn().eval()
    x = speech_like(1, 4000)
    later = x.clone()
    later[:, 3000:] += 0.5
    change = (model(later) - model(x)).abs()[0]
    assert torch.all(change[: 3000 - model.latency_samples] == 0)
    assert change[3000:].max() > 0


@pytest.mark.parametrize("chunk", [1, 3, 7])
def test_crn_frame_by_frame_equals_the_whole(chunk: int) -> None:
    model = small_crn().double().eval()
    spectrum = model.stft.analyse(speech_like(2, 4000).double())
    whole, _ = model.enhance_frames(spectrum, model.initial_state(2))
    state, parts = model.initial_state(2), []
    for start in range(0, spectrum.shape[1], chunk):
        part = spectrum[:, start : start + chunk]
        out, state = model.enhance_frames(part, state)
        parts.append(out)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-12, rtol=0)


def test_default_crn_stays_within_its_budgets() -> None:
    model = CRN()
    assert sum(p.numel() for p in model.parameters()) <= 500_000
    assert model.latency_samples <= 0.040 * model.sample_rate
