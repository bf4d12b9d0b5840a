from __future__ import annotations

import numpy as np
import pytest

from cmkt.metrics.mel import hz_to_mel, mel_filters, mel_to_hz


@pytest.mark.parametrize(("hz", "mel"), [(0.0, 0.0), (200.0, 3.0), (1000.0, 15.0), (6400.0, 42.0)])
def test_known_points_of_the_scale(hz: float, mel: float) -> None:
    assert hz_to_mel(hz) == pytest.approx(mel)
    assert mel_to_hz(np.array([mel]))[0] == pytest.approx(hz)


def test_filters_are_those_of_librosa() -> None:
    """librosa 0.11, filters.mel(sr=16000, n_fft=321, n_mels=120): its sum, and the highest gain of three rows."""
    filters = mel_filters(sample_rate=16_000, size=321, bands=120)
    assert filters.shape == (120, 161)
    assert filters.sum() == pytest.approx(2.3975032721, rel=1e-9)
    for band, place, gain in ((1, 1, 0.0400930916), (60, 34, 0.0143288023), (119, 156, 0.0044525686)):
        assert filters[band].argmax() == place
        assert filters[band].max() == pytest.approx(gain, rel=1e-8)


def test_a_fine_enough_fft_sees_triangles_of_area_1() -> None:
    filters = mel_filters(sample_rate=16_000, size=16_000, bands=40)
    np.testing.assert_allclose(filters.sum(axis=-1), 1.0, atol=1e-3)
    assert (filters >= 0).all()
