"""Every enhancement model keeps the contract, and the contract notices each way to break it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
from cmkt.testing.enhancer import (
    ENHANCER_CHECKS,
    check_batch,
    check_causality,
    check_declarations,
    check_deterministic,
    check_enhancer,
    check_finite,
    check_gradients,
    check_length,
    check_padding,
    check_precision,
    check_saving,
    check_stream,
)

MODELS: dict[str, Callable[[], nn.Module]] = {
    "crn": CRN,
    "crn_small_with_four_hops": lambda: CRN(window_samples=512, hop_samples=128, channels=(8, 8), hidden=16),
    "crn_8_khz": lambda: CRN(8_000, window_samples=256, hop_samples=128, channels=(8, 8), hidden=16),
    "dpcrn": lambda: DPCRN(linear_bins=20, merged_bands=20, channels=(4, 6), kernels=(5, 3), hidden=8),
    "demucs": lambda: Demucs(channels=(4, 6), strides=(4, 4)),
    "demucs_without_delay": lambda: Demucs(channels=(4, 6), strides=(2, 4), layers=1, delay_hops=0),
    "se_mamba": lambda: SEMamba(channels=(4, 8), blocks=1, head_width=4, states=3),
    "blstm": BLSTM,
    "tf_conformer": lambda: TFConformer(channels=(4, 8), blocks=1, heads=2, kernel=3),
    "mp_senet": lambda: MPSENet(channels=8, dense=2, blocks=1, heads=2, kernel=3),
}


class Gain(nn.Module):
    """Keeps the contract as a model that needs the future; each test below breaks it in one way."""

    causal = False
    sample_rate = 16_000
    latency_samples = 0
    calls: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.init_args: dict[str, Any] = {}
        self.gain = nn.Parameter(torch.tensor(0.5))
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, noisy: Tensor, lengths: Tensor | None = None) -> Tensor:
        return self.gain * noisy


class Shorter(Gain):
    def forward(self, noisy: Tensor, lengths: Tensor | None = None) -> Tensor:
        return self.gain * noisy[:, : noisy.shape[-1] // 200 * 200]


class Normalising(Gain):
    def forward(self, noisy: Tensor, lengths: Tensor | None = None) -> Tensor:
        return self.gain * noisy / noisy.abs().max()


class NotSoCausal(Gain):
    causal = True

    def forward(self, noisy: Tensor, lengths: Tensor | None = None) -> Tensor:
        return self.gain * noisy - noisy.mean(dim=-1, keepdim=True)


class Averaging(Gain):
    def forward(self, noisy: Tensor, lengths: Tensor | None = None) -> Tensor:
        return self.gain * noisy / (1e-3 + noisy.abs().mean(dim=-1, keepdim=True))


class Drawing(Gain):
    def forward(self, noisy: Tensor, lengths: Tensor | None = None) -> Tensor:
        return self.gain * noisy * torch.rand(1)


class Counting(Gain):
    def forward(self, noisy: Tensor, lengths: Tensor | None = None) -> Tensor:
        self.calls.add_(1)
        return self.gain * noisy


class Narrowing(Gain):
    def forward(self, noisy: Tensor, lengths: Tensor | None = None) -> Tensor:
        return (self.gain * noisy).float()


class Idle(Gain):
    def forward(self, noisy: Tensor, lengths: Tensor | None = None) -> Tensor:
        return noisy + 0.0 * torch.ones((), requires_grad=True)


class Forgetting(Gain):
    def __init__(self) -> None:
        super().__init__()
        self.secret = float(torch.rand(()))

    def forward(self, noisy: Tensor, lengths: Tensor | None = None) -> Tensor:
        return self.gain * self.secret * noisy


class Mixing(Gain):
    def forward(self, noisy: Tensor, lengths: Tensor | None = None) -> Tensor:
        return self.gain * noisy - noisy.mean(dim=0, keepdim=True)


@pytest.mark.parametrize("check", ENHANCER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", MODELS)
def test_model_keeps_the_contract(name: str, check: Callable[[nn.Module], None]) -> None:
    torch.manual_seed(0)
    model = MODELS[name]()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.02 * torch.randn(value.shape, generator=generator))
    check(model)


def test_a_model_that_keeps_the_contract_passes_as_a_whole() -> None:
    check_enhancer(CRN(channels=(4, 4), hidden=8))


@pytest.mark.parametrize(
    ("model", "check", "message"),
    [
        (nn.Identity, check_declarations, "`sample_rate`"),
        (NotSoCausal, check_declarations, "enhance_frames"),
        (Shorter, check_length, "shape"),
        (Normalising, check_finite, "silence"),
        (NotSoCausal, check_causality, "future"),
        (Mixing, check_batch, "batch"),
        (Averaging, check_padding, "padded"),
        (Drawing, check_deterministic, "same"),
        (Counting, check_deterministic, "state"),
        (Narrowing, check_precision, "float64"),
        (Idle, check_gradients, "gain has none"),
        (Forgetting, check_saving, "same"),
    ],
)
def test_a_breach_is_noticed(model: Callable[[], nn.Module], check: Callable[[Any], None], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check(model())


def test_a_stream_that_forgets_its_state_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = CRN(channels=(4, 4), hidden=8)
    whole = CRN.enhance_frames

    def forgetful(self: CRN, spectrum: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        return whole(self, spectrum, [torch.zeros_like(value) for value in state])

    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.1)
    monkeypatch.setattr(CRN, "enhance_frames", forgetful)
    with pytest.raises(AssertionError, match="stream"):
        check_stream(model)
