"""What every backbone must do, on small versions of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from cmkt.errors import ConfigError
from cmkt.models.blstm import BLSTM
from cmkt.models.crn import CRN
from cmkt.models.demucs import Demucs
from cmkt.models.dpcrn import DPCRN
from cmkt.models.mp_senet import MPSENet
from cmkt.models.se_mamba import SEMamba
from cmkt.models.tf_conformer import TFConformer


def small_crn() -> CRN:
    return CRN(channels=(4, 6), hidden=8)


def small_dpcrn() -> DPCRN:
    return DPCRN(linear_bins=20, merged_bands=20, channels=(4, 6), kernels=(5, 3), hidden=8)


def small_demucs() -> Demucs:
    return Demucs(channels=(4, 6, 8), strides=(2, 4, 4))


def small_blstm() -> BLSTM:
    return BLSTM(hidden=8, dense=12)


def small_tf_conformer() -> TFConformer:
    return TFConformer(channels=(4, 8), blocks=1, heads=2, kernel=3)


def small_se_mamba() -> SEMamba:
    return SEMamba(channels=(4, 8), blocks=1, head_width=4, states=3)


def small_mp_senet() -> MPSENet:
    return MPSENet(channels=8, dense=2, blocks=1, heads=2, kernel=3)


MaskModel = CRN | DPCRN | SEMamba
CAUSAL: list[Callable[[], MaskModel]] = [small_crn, small_dpcrn, small_se_mamba]
BACKBONES: list[Callable[[], nn.Module]] = [*CAUSAL, small_demucs, small_blstm, small_tf_conformer, small_mp_senet]


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


@pytest.mark.parametrize("build", [*CAUSAL, small_demucs])
def test_causal_models_see_nothing_beyond_their_latency(build: Callable[[], MaskModel | Demucs]) -> None:
    model = build().eval()
    x = speech_like(1, 4000)
    later = x.clone()
    later[:, 3000:] += 0.5
    change = (model(later) - model(x)).abs()[0]
    assert torch.all(change[: 3000 - model.latency_samples] == 0)
    assert change[3000:].max() > 0


@pytest.mark.parametrize("build", CAUSAL)
@pytest.mark.parametrize("chunk", [1, 3, 7])
def test_frame_by_frame_equals_the_whole(build: Callable[[], MaskModel], chunk: int) -> None:
    model = build().double().eval()
    spectrum = model.stft.analyse(speech_like(2, 4000).double())
    whole, _ = model.enhance_frames(spectrum, model.initial_state(2))
    state, parts = model.initial_state(2), []
    for start in range(0, spectrum.shape[1], chunk):
        part = spectrum[:, start : start + chunk]
        out, state = model.enhance_frames(part, state)
        parts.append(out)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-12, rtol=0)


@pytest.mark.parametrize("build", CAUSAL)
def test_real_parts_give_what_the_complex_spectrum_gives(build: Callable[[], MaskModel]) -> None:
    model = build().double().eval()
    spectrum = model.stft.analyse(speech_like(2, 2000).double())
    state = [torch.randn_like(tensor) for tensor in model.initial_state(2)]
    whole, after = model.enhance_frames(spectrum, state)
    real, imaginary, parts_after = model.enhance_parts(spectrum.real, spectrum.imag, state)
    assert torch.equal(torch.complex(real, imaginary), whole)
    assert all(torch.equal(a, b) for a, b in zip(after, parts_after, strict=True))


@pytest.mark.parametrize("build", CAUSAL)
def test_folded_norms_are_the_same_map_in_evaluation(build: Callable[[], MaskModel]) -> None:
    model = build().double()
    for _ in range(20):  # in training mode, so that the norms learn other statistics than zero and one
        model(3 * speech_like(2, 2000).double())
    wanted = model.eval()(speech_like(1, 3000).double())
    stages: list[Any] = [*model.encoder, *model.decoder]
    for stage in (*stages, *stages):  # a second time changes nothing
        stage.fold_norm()
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules())
    torch.testing.assert_close(model(speech_like(1, 3000).double()), wanted, atol=1e-12, rtol=0)


@pytest.mark.parametrize("build", [CRN, DPCRN, Demucs, SEMamba])
def test_default_causal_models_stay_within_their_budgets(build: Callable[[], MaskModel | Demucs]) -> None:
    model = build()
    assert sum(p.numel() for p in model.parameters()) <= 600_000
    assert model.latency_samples <= 0.040 * model.sample_rate


@pytest.mark.parametrize("build", CAUSAL)
def test_an_unchanged_mask_gives_the_input_back(build: Callable[[], MaskModel]) -> None:
    model = build().eval()
    last: Any = model.decoder[-1]
    torch.nn.init.zeros_(last.conv.weight)
    x = speech_like(1, 4000)
    torch.testing.assert_close(model(x), x, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "wrong", [{"channels": ()}, {"blocks": 0}, {"kernel": 4}, {"heads": 3}, {"heads": 0}, {"channels": (4, 6)}]
)
def test_a_conformer_that_cannot_be_built_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        TFConformer(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kernels": (4, 3)},
        {"channels": (4, 5), "kernels": (3, 3)},
        {"channels": (4,)},
        {"blocks": 0},
        {"merged_bands": 500},
        {"linear_bins": 0, "merged_bands": 150},
    ],
)
def test_a_dual_path_network_that_cannot_be_built_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        DPCRN(**{"channels": (4, 6), "kernels": (5, 3), **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"channels": ()},
        {"blocks": 0},
        {"head_width": 5},
        {"head_width": 0},
        {"expansion": 0},
        {"states": 0},
        {"kernel": 1},
    ],
)
def test_a_state_space_network_that_cannot_be_built_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        SEMamba(**{"channels": (4, 8), "head_width": 4, **wrong})


@pytest.mark.parametrize("wrong", [{"dense": 0}, {"blocks": 0}, {"channels": 6}, {"kernel": 4}, {"heads": 0}])
def test_a_network_of_magnitude_and_phase_that_cannot_be_built_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        MPSENet(**{"channels": 8, "heads": 2, **wrong})
