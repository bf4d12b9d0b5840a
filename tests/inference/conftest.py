"""Small models with weights that do something, and saved ones."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from cmkt.inference.enhancer import TorchEnhancer
from cmkt.inference.save import save_model
from cmkt.models.blstm import BLSTM
from cmkt.models.crn import CRN


def shaken(model: nn.Module) -> nn.Module:
    """The model with every weight moved, so that nothing passes only because a fresh model is close to the identity."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.05 * torch.randn(value.shape, generator=generator))
    return model.eval()


@pytest.fixture
def crn() -> nn.Module:
    """A causal model."""
    torch.manual_seed(0)
    return shaken(CRN(channels=(8, 8, 8), hidden=32))


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
