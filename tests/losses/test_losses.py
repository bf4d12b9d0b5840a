"""SE losses: hand-worked values, masks and gradients."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from cmkt.errors import ConfigError
from cmkt.losses.compressed_spectrum import CompressedSpectrum
from cmkt.losses.loudness import LoudnessDisturbance
from cmkt.losses.mae import MAE
from cmkt.losses.multi_resolution import MultiResolutionSTFT
from cmkt.losses.si_sdr import SISDR
from cmkt.losses.waveform_mae import WaveformMAE
from cmkt.losses.weighted_sum import WeightedSum

LOSSES: list[nn.Module] = [
    MAE(),
    MAE(0.3),
    CompressedSpectrum(),
    LoudnessDisturbance(),
    MultiResolutionSTFT(),
    SISDR(),
    WaveformMAE(),
    WeightedSum([MAE(), SISDR()], [1.0, 0.1]),
]


def noise(batch: int, samples: int, seed: int = 0) -> torch.Tensor:
    return 0.1 * torch.randn(batch, samples, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_what_lies_behind_a_length_does_not_count(loss: nn.Module) -> None:
    x, y, lengths = noise(2, 4096, 1), noise(2, 4096, 2), torch.tensor([4096, 2048])
    before = loss(estimate=x, reference=y, lengths=lengths)
    x[1, 2048:] += 100.0
    y[1, 2048:] -= 100.0
    torch.testing.assert_close(loss(estimate=x, reference=y, lengths=lengths), before)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_padding_a_batch_changes_nothing(loss: nn.Module) -> None:
    x, y, lengths = noise(2, 4096, 1), noise(2, 4096, 2), torch.tensor([4096, 4096])
    pad = nn.functional.pad
    wide = loss(estimate=pad(x, (0, 5000)), reference=pad(y, (0, 5000)), lengths=lengths)
    torch.testing.assert_close(wide, loss(estimate=x, reference=y, lengths=lengths), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_gradients_are_finite_on_silence(loss: nn.Module) -> None:
    x = torch.zeros(1, 2048, requires_grad=True)
    loss(estimate=x, reference=torch.zeros(1, 2048), lengths=None).backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_mae_of_a_sine_against_half_of_it_is_half_its_own_magnitude() -> None:
    x = torch.sin(2 * torch.pi * 1000 * torch.arange(8192) / 16_000)[None]
    loss = MAE()
    own = loss(estimate=torch.zeros_like(x), reference=x)
    torch.testing.assert_close(loss(estimate=0.5 * x, reference=x), 0.5 * own, rtol=1e-4, atol=1e-6)


def test_compressed_spectrum_of_silence_is_the_weighted_energy_of_the_compressed_reference() -> None:
    reference = noise(1, 4096)
    loss = CompressedSpectrum(compression=0.5, complex_weight=0.3)
    expected = loss.stft.analyse(reference).abs().mean()  # (|Y|^0.5)^2, the same in both terms
    got = loss(estimate=torch.zeros_like(reference), reference=reference)
    torch.testing.assert_close(got, expected, rtol=0.02, atol=0)


def test_a_sign_flip_costs_only_the_complex_term() -> None:
    x = noise(1, 4096)
    assert CompressedSpectrum(complex_weight=0.0)(estimate=-x, reference=x) < 1e-9
    assert CompressedSpectrum(complex_weight=1.0)(estimate=-x, reference=x) > 0.1


def test_si_sdr_of_orthogonal_noise_of_a_tenth_of_the_energy_is_ten_db() -> None:
    y = torch.zeros(1, 2000)
    y[0, ::2] = 1.0
    error = torch.zeros(1, 2000)
    error[0, 1::2] = math.sqrt(0.1)
    assert SISDR()(estimate=y + error, reference=y).item() == pytest.approx(-10.0, abs=1e-3)
    assert SISDR()(estimate=3.0 * (y + error), reference=y).item() == pytest.approx(-10.0, abs=1e-3)


def test_an_utterance_with_a_silent_reference_counts_zero_in_si_sdr() -> None:
    assert SISDR()(estimate=noise(1, 2000), reference=torch.zeros(1, 2000)).item() == 0.0


def test_weighted_sum_is_the_sum_of_its_parts() -> None:
    x, y = noise(1, 4096, 1), noise(1, 4096, 2)
    parts = 2.0 * MAE()(estimate=x, reference=y) + 0.5 * SISDR()(estimate=x, reference=y)
    torch.testing.assert_close(WeightedSum([MAE(), SISDR()], [2.0, 0.5])(estimate=x, reference=y), parts)


def test_a_weight_is_needed_for_each_loss() -> None:
    with pytest.raises(ConfigError, match="2 losses and 1 weights"):
        WeightedSum([MAE(), SISDR()], [1.0])


def test_waveform_mae_by_hand() -> None:
    estimate, reference = torch.tensor([[1.0, 2.0, 9.0]]), torch.tensor([[0.0, 4.0, 0.0]])
    assert WaveformMAE()(estimate=estimate, reference=reference, lengths=torch.tensor([2])).item() == pytest.approx(1.5)


def test_multi_resolution_of_a_scaled_signal_is_one_minus_the_gain_and_its_logarithm() -> None:
    """| |gY| - |Y| | is (1 - g)|Y|: convergence 1 - g, and the logarithms differ by -log g, in every window."""
    y = noise(2, 8192)
    loss = MultiResolutionSTFT()(estimate=0.5 * y, reference=y)
    assert loss.item() == pytest.approx(0.5 + math.log(2), rel=0.01)
    assert MultiResolutionSTFT()(estimate=-y, reference=y).item() == pytest.approx(0.0, abs=1e-5)


def test_multi_resolution_is_the_mean_of_its_windows() -> None:
    x, y = noise(1, 4096, 1), noise(1, 4096, 2)
    each = [MultiResolutionSTFT([window])(estimate=x, reference=y) for window in (512, 128)]
    torch.testing.assert_close(MultiResolutionSTFT([512, 128])(estimate=x, reference=y), torch.stack(each).mean())


@pytest.mark.parametrize("windows", [[], [510], [0]])
def test_multi_resolution_refuses_windows_without_a_quarter(windows: list[int]) -> None:
    with pytest.raises(ConfigError, match="multiples of 4"):
        MultiResolutionSTFT(windows)
