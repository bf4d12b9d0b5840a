"""Small models with weights that do something, and saved ones."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from cmkt.inference.enhancer import TorchEnhancer
from cmkt.inference.export import export_saved
from cmkt.inference.save import save_model
from cmkt.models.blstm import BLSTM
from cmkt.models.crn import CRN
from cmkt.models.demucs import Demucs
from cmkt.models.dpcrn import DPCRN
from cmkt.models.se_mamba import SEMamba


def shaken(model: nn.Module) -> nn.Module:
    """The model with every weight moved, so that nothing passes only because a fresh model is close to the identity."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.05 * torch.randn(value.shape, generator=generator))
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.add_(0.1 * torch.randn(module.num_features, generator=generator))
                module.running_var.mul_(1.0 + torch.rand(module.num_features, generator=generator))
    return model.eval()


def small(name: str) -> nn.Module:
    """A causal model of one of the backbones, the same at every call."""
    torch.manual_seed(0)
    if name == "crn":
        return shaken(CRN(channels=(8, 8, 8), hidden=32))
    if name == "demucs":
        return shaken(Demucs(channels=(8, 12, 16), strides=(2, 4, 4)))
    if name == "se_mamba":
        return shaken(SEMamba(channels=(6, 8), blocks=1, head_width=4, states=3))
    return shaken(
        DPCRN(
            linear_bins=24,
            merged_bands=20,
            channels=(6, 8),
            kernels=(5, 3),
            hidden=12,
            window_samples=512,
            hop_samples=128,
        )
    )


@pytest.fixture
def crn() -> nn.Module:
    """A causal model."""
    return small("crn")


@pytest.fixture
def blstm() -> nn.Module:
    """A model that sees the whole utterance."""
    torch.manual_seed(0)
    return shaken(BLSTM(hidden=16, layers=1, dense=24))


@pytest.fixture
def enhancer(crn: nn.Module) -> TorchEnhancer:
    """A causal enhancer."""
    return TorchEnhancer(crn)


@pytest.fixture
def saved(crn: nn.Module, tmp_path: Path) -> Path:
    """A folder with a saved causal model."""
    return save_model(crn, tmp_path / "saved", extra={"commit": "abc"})


@pytest.fixture(scope="session", params=["crn", "dpcrn", "se_mamba", "demucs"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with model.json, model.safetensors and model.onnx of the same small model, to be left as it is."""
    folder = tmp_path_factory.mktemp(request.param)
    save_model(small(request.param), folder, extra={"commit": "abc"})
    export_saved(folder, folder / "model.onnx")
    return folder
