"""Enhancement in overlapping windows, for models that need the future."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cmkt.errors import ConfigError
from cmkt.inference.windowed import WindowedProcessor

if TYPE_CHECKING:
    from cmkt.types import FloatArray


class Recorder(nn.Module):
    """The identity times a gain; remembers the lengths that it was given."""

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__()
        self.gain = gain
        self.lengths: list[int] = []

    def forward(self, noisy: Tensor) -> Tensor:
        self.lengths.append(noisy.shape[-1])
        return self.gain * noisy


class WindowMean(nn.Module):
    """The mean of the window at every sample, so that windows disagree."""

    def forward(self, noisy: Tensor) -> Tensor:
        return noisy.mean(dim=-1, keepdim=True).expand_as(noisy)


def processor(model: nn.Module, window: int = 100, overlap: int = 25, channels: int = 1) -> WindowedProcessor:
    return WindowedProcessor(
        model,
        channels=channels,
        window_samples=window,
        overlap_samples=overlap,
        device=torch.device("cpu"),
        dtype=torch.float32,
    )


def through(windows: WindowedProcessor, audio: FloatArray, chunk: int) -> FloatArray:
    parts = [windows.feed(audio[:, start : start + chunk]) for start in range(0, audio.shape[-1], chunk)]
    return np.concatenate([*parts, windows.flush()], axis=-1)


@pytest.mark.parametrize("samples", [1, 24, 99, 100, 101, 174, 175, 176, 1_000])
@pytest.mark.parametrize("chunk", [1, 33, 5_000])
def test_the_identity_stays_the_identity_at_any_length(samples: int, chunk: int) -> None:
    audio = np.random.default_rng(0).standard_normal((2, samples)).astype(np.float32)
    output = through(processor(Recorder(0.5), channels=2), audio, chunk)
    np.testing.assert_allclose(output, 0.5 * audio, atol=1e-6)


def test_a_signal_of_at_most_a_window_is_enhanced_whole() -> None:
    model = Recorder()
    through(processor(model), np.zeros((1, 90), np.float32), 7)
    assert model.lengths == [90]


def test_every_window_of_a_longer_signal_is_whole() -> None:
    model = Recorder()
    through(processor(model), np.zeros((1, 260), np.float32), 50)
    assert set(model.lengths) == {100}


def test_windows_that_disagree_are_cross_faded_without_a_step() -> None:
    audio = np.concatenate((np.zeros((1, 75), np.float32), np.ones((1, 100), np.float32)), axis=-1)
    output = through(processor(WindowMean()), audio, 175)[0]
    assert np.abs(np.diff(output)).max() < 0.05
    assert np.allclose(output[:75], 0.25)
    assert np.allclose(output[100:], 1.0)


def test_nothing_in_gives_nothing_out() -> None:
    assert processor(Recorder()).flush().shape == (1, 0)


def test_an_overlap_of_more_than_half_a_window_is_refused() -> None:
    with pytest.raises(ConfigError, match="half a window"):
        processor(Recorder(), window=10, overlap=6)


def test_a_model_that_changes_the_length_is_refused() -> None:
    class Shorter(nn.Module):
        def forward(self, noisy: torch.Tensor) -> torch.Tensor:
            return noisy[..., :-1]

    processor = WindowedProcessor(
        Shorter(), channels=1, window_samples=8, overlap_samples=2, device=torch.device("cpu"), dtype=torch.float32
    )
    with pytest.raises(ConfigError, match=r"\(1, 8\)"):
        processor.feed(np.zeros((1, 8), dtype=np.float32))
