"""The transform in numpy, beside the one in torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cmkt.errors import ConfigError
from cmkt.signal.stft import FrameTransform
from cmkt.spectral.stft import STFT


@pytest.mark.parametrize(("window", "hop"), [(400, 200), (512, 128), (300, 100)])
def test_it_is_the_transform_that_models_are_trained_with(window: int, hop: int) -> None:
    signal = np.random.default_rng(0).standard_normal((2, window + 6 * hop)).astype(np.float32)
    numpy, torch_ = FrameTransform(window, hop), STFT(window, hop)
    np.testing.assert_allclose(numpy.window, torch_.window.numpy(), atol=1e-7)
    spectrum = numpy.analyse(signal)
    segments = torch.from_numpy(signal).unfold(-1, window, hop)
    assert spectrum.dtype == np.complex64
    np.testing.assert_allclose(spectrum, torch_.analyse_frames(segments).numpy(), atol=2e-5)
    back = torch_.overlap_add(torch_.synthesise_frames(torch.from_numpy(spectrum))).numpy()
    np.testing.assert_allclose(numpy.synthesise(spectrum), back, atol=1e-6)


@pytest.mark.parametrize(("window", "hop"), [(4, 2), (400, 200), (512, 128)])
def test_where_all_frames_overlap_the_signal_comes_back(window: int, hop: int) -> None:
    transform = FrameTransform(window, hop)
    signal = np.random.default_rng(1).standard_normal((1, window + 9 * hop)).astype(np.float32)
    past = window - hop
    back = transform.synthesise(transform.analyse(signal))
    assert back.dtype == np.float32
    np.testing.assert_allclose(back[:, past:-past], signal[:, past:-past], atol=1e-5)


def test_the_window_is_the_root_of_a_hann_window_by_hand() -> None:
    np.testing.assert_allclose(FrameTransform(4, 2).window, np.sqrt([0.0, 0.5, 1.0, 0.5]), atol=1e-7)


@pytest.mark.parametrize(("window", "hop"), [(400, 0), (400, 300), (200, 200), (400, 150)])
def test_a_window_that_is_no_multiple_of_the_hop_is_refused(window: int, hop: int) -> None:
    with pytest.raises(ConfigError, match=f"but they are {window} and {hop}"):
        FrameTransform(window, hop)
