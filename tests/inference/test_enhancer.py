"""The torch enhancer on arrays and tensors of all kinds."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cmkt.errors import AudioError, ConfigError
from cmkt.inference.enhancer import TorchEnhancer
from cmkt.types import Enhancer

if TYPE_CHECKING:
    from cmkt.types import FloatArray


def noise(*shape: int) -> FloatArray:
    return (0.05 * np.random.default_rng(0).standard_normal(shape)).astype(np.float32)


class Louder(nn.Module):
    """Four times the input; says nothing of itself but its rate."""

    sample_rate = 16_000

    def forward(self, noisy: Tensor) -> Tensor:
        return 4.0 * noisy


def test_it_is_an_enhancer_as_the_protocol_says(enhancer: TorchEnhancer) -> None:
    assert isinstance(enhancer, Enhancer)


@pytest.mark.parametrize("shape", [(1,), (2_345,), (1, 2_345), (2, 2_345), (6, 2_345)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shape_and_dtype_are_kept(enhancer: TorchEnhancer, shape: tuple[int, ...], dtype: type[np.floating]) -> None:
    output = enhancer.enhance(noise(*shape).astype(dtype), sample_rate=16_000)
    assert output.shape == shape
    assert output.dtype == dtype


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_a_tensor_gives_a_tensor_of_its_dtype(enhancer: TorchEnhancer, dtype: torch.dtype) -> None:
    noisy = torch.from_numpy(noise(2, 1_000)).to(dtype).requires_grad_()
    output = enhancer.enhance(noisy, sample_rate=16_000)
    assert isinstance(output, Tensor)
    assert output.dtype == dtype
    assert output.shape == noisy.shape
    assert not output.requires_grad


def test_array_and_tensor_and_model_agree(enhancer: TorchEnhancer) -> None:
    audio = noise(5_000)
    output = enhancer.enhance(audio, sample_rate=16_000)
    assert np.array_equal(enhancer.enhance(torch.from_numpy(audio), sample_rate=16_000).numpy(), output)
    with torch.no_grad():
        whole = enhancer.model(torch.from_numpy(audio)[None])[0].numpy()
    np.testing.assert_allclose(output, whole, atol=1e-5)


def test_the_input_is_not_changed(enhancer: TorchEnhancer) -> None:
    audio = noise(2, 3_000)
    before = audio.copy()
    enhancer.enhance(audio, sample_rate=16_000, attenuation_limit_db=6.0)
    assert np.array_equal(audio, before)


def test_channels_are_enhanced_one_by_one(enhancer: TorchEnhancer) -> None:
    audio = noise(3, 4_000)
    for channel, output in zip(audio, enhancer.enhance(audio, sample_rate=16_000), strict=True):
        np.testing.assert_allclose(output, enhancer.enhance(channel, sample_rate=16_000), atol=1e-6)


def test_a_long_array_in_blocks_gives_what_the_model_gives_at_once(enhancer: TorchEnhancer) -> None:
    audio = noise(2, 16_000 * 12)
    with torch.no_grad():
        whole = enhancer.model(torch.from_numpy(audio)).numpy()
    np.testing.assert_allclose(enhancer.enhance(audio, sample_rate=16_000), whole, atol=1e-5)


def test_a_model_that_needs_the_future_sees_a_short_signal_whole_and_a_long_one_in_windows(blstm: nn.Module) -> None:
    enhancer = TorchEnhancer(blstm)
    assert not enhancer.causal
    short, long = noise(8_000), noise(16_000 * 40)
    with torch.no_grad():
        whole = blstm(torch.from_numpy(short)[None])[0].numpy()
    np.testing.assert_allclose(enhancer.enhance(short, sample_rate=16_000), whole, atol=1e-6)
    output = enhancer.enhance(long, sample_rate=16_000)
    assert output.shape == long.shape
    assert np.isfinite(output).all()


@pytest.mark.parametrize("sample_rate", [8_000, 11_025, 16_000])
def test_no_warning_where_the_model_sees_the_whole_band(enhancer: TorchEnhancer, sample_rate: int) -> None:
    assert enhancer.enhance(noise(1_000), sample_rate=sample_rate).shape == (1_000,)


def test_one_warning_says_what_is_removed_above_the_models_band(enhancer: TorchEnhancer) -> None:
    for _ in range(2):
        with pytest.warns(UserWarning, match="content above 8000 Hz is removed") as caught:
            enhancer.enhance(noise(2, 9_000), sample_rate=96_000)
        assert len(caught) == 1
        assert caught[0].filename == __file__


def test_a_tone_passes_through_rates_without_delay_or_level_change() -> None:
    enhancer = TorchEnhancer(Louder())
    tone = (0.1 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)).astype(np.float32)
    with pytest.warns(UserWarning, match="8000 Hz"):
        output = enhancer.enhance(tone, sample_rate=48_000)
    np.testing.assert_allclose(output[2_000:-2_000], 4.0 * tone[2_000:-2_000], atol=1e-3)


def test_peaks_stay_below_one_and_what_is_below_the_knee_is_untouched() -> None:
    enhancer = TorchEnhancer(Louder())
    audio = np.linspace(-1.0, 1.0, 1_001, dtype=np.float32)
    output = enhancer.enhance(audio, sample_rate=16_000)
    assert np.abs(output).max() < 1.0
    quiet = np.abs(audio) < 0.24
    assert np.array_equal(output[quiet], 4.0 * audio[quiet])


def test_a_limit_of_zero_gives_the_input_and_no_limit_the_models_output(enhancer: TorchEnhancer) -> None:
    audio = noise(2, 5_000)
    np.testing.assert_allclose(enhancer.enhance(audio, sample_rate=16_000, attenuation_limit_db=0.0), audio, atol=1e-7)
    full = enhancer.enhance(audio, sample_rate=16_000)
    half = enhancer.enhance(audio, sample_rate=16_000, attenuation_limit_db=20.0)
    np.testing.assert_allclose(half, 0.1 * audio + 0.9 * full, atol=1e-6)


@pytest.mark.parametrize("name", ["silence", "constant", "clipped", "impulse", "tiny"])
@pytest.mark.parametrize("sample_rate", [16_000, 48_000])
def test_odd_signals_give_finite_output(enhancer: TorchEnhancer, name: str, sample_rate: int) -> None:
    audio = {
        "silence": np.zeros(20_000),
        "constant": np.ones(20_000),
        "clipped": np.sign(noise(20_000)),
        "impulse": np.eye(1, 20_000, 10_000)[0],
        "tiny": np.full(20_000, 1e-30),
    }[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        output = enhancer.enhance(audio.astype(np.float32), sample_rate=sample_rate)
    assert np.isfinite(output).all()
    assert np.abs(output).max() < 1.0


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (np.zeros(0, np.float32), "samples"),
        (np.full(100, np.nan, np.float32), "finite"),
        (np.zeros(100, np.int16), "int16"),
        (np.zeros((16_000, 2), np.float32), r"\(time, channels\)"),
        (np.zeros((1, 2, 100), np.float32), "shape"),
        (np.full(100, 12_000.0, np.float32), "full scale"),
        (torch.zeros(100, dtype=torch.int16), "int16"),
    ],
)
def test_audio_that_cannot_be_used_is_refused(enhancer: TorchEnhancer, audio: FloatArray, message: str) -> None:
    with pytest.raises(AudioError, match=message):
        enhancer.enhance(audio, sample_rate=16_000)


@pytest.mark.parametrize("sample_rate", [0, -16_000, 16_000.0, 16, 1_000_000])
def test_a_rate_that_is_none_is_refused(enhancer: TorchEnhancer, sample_rate: int) -> None:
    with pytest.raises(AudioError, match="`sample_rate`"):
        enhancer.enhance(noise(100), sample_rate=sample_rate)


def test_a_model_without_a_rate_needs_one() -> None:
    with pytest.raises(ConfigError, match="`sample_rate`"):
        TorchEnhancer(nn.Identity())
    assert TorchEnhancer(nn.Identity(), sample_rate=8_000).sample_rate == 8_000


def test_a_model_in_double_precision_is_run_in_double_precision(crn: nn.Module) -> None:
    audio = noise(5_000).astype(np.float64)
    enhancer = TorchEnhancer(crn.double())
    with torch.no_grad():
        whole = crn(torch.from_numpy(audio)[None])[0].numpy()
    np.testing.assert_allclose(enhancer.enhance(audio, sample_rate=16_000), whole, atol=1e-12)


def test_latency_is_what_the_model_states_or_a_window_where_it_needs_the_future(
    enhancer: TorchEnhancer, blstm: nn.Module
) -> None:
    assert enhancer.latency_samples == 600
    assert TorchEnhancer(blstm).latency_samples == 4 * 16_000
