from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.errors import MetricUndefinedError
from cmkt.metrics.wss import CENTRES_HZ, WIDTHS_HZ, band_levels_db, nearest_peaks, weighted_spectral_slope

Pairs = dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
RATE = 16_000


@pytest.mark.parametrize(("name", "value"), [("quiet", 16.7768033741), ("loud", 28.8739319830), ("dull", 0.0319879565)])
def test_it_is_that_of_another_implementation(name: str, value: float, pairs: Pairs) -> None:
    """wss of pysepm-evo 0.1.1, a port of Loizou's MATLAB code."""
    estimate, reference = pairs[name]
    found = weighted_spectral_slope(estimate=estimate, reference=reference, sample_rate=RATE)
    assert found == pytest.approx(value, abs=1e-8)


def test_identical_signals_have_0_and_the_level_does_not_matter(pairs: Pairs) -> None:
    estimate, reference = pairs["quiet"]
    assert weighted_spectral_slope(estimate=reference, reference=reference, sample_rate=RATE) == 0
    one, other = (
        weighted_spectral_slope(estimate=gain * estimate, reference=reference, sample_rate=RATE) for gain in (1.0, 0.1)
    )
    assert one == pytest.approx(other, rel=1e-6)


@pytest.mark.parametrize("band", [0, 6, 12, 18, 24])
def test_a_tone_at_the_centre_of_a_band_is_highest_there(band: int) -> None:
    tone = np.sin(2 * np.pi * CENTRES_HZ[band] * np.arange(RATE) / RATE)
    levels = band_levels_db(tone, RATE)
    assert levels.shape == (131 - 2, 25)
    assert (levels.argmax(axis=-1) == band).all()


def test_there_are_25_bands_that_grow_wider() -> None:
    assert len(CENTRES_HZ) == len(WIDTHS_HZ) == 25
    assert (np.diff(CENTRES_HZ) > 0).all()
    assert (np.diff(WIDTHS_HZ) >= 0).all()


def test_digital_silence_is_at_the_floor() -> None:
    assert (band_levels_db(np.zeros(RATE), RATE) == -100).all()


def test_slopes_lead_uphill_to_a_peak_or_where_they_rise_to_the_band_before_it() -> None:
    """Levels rise to the third band, fall to the fifth and rise to the sixth."""
    levels = np.array([[0.0, 4.0, 9.0, 7.0, 1.0, 2.0]])
    np.testing.assert_array_equal(nearest_peaks(levels, np.diff(levels)), [[4.0, 4.0, 9.0, 9.0, 1.0]])


def test_falling_from_the_first_band_its_level_is_the_peak() -> None:
    levels = np.array([[5.0, 4.0, 3.0], [1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(nearest_peaks(levels, np.diff(levels)), [[5.0, 5.0], [2.0, 2.0]])


def test_too_short_is_undefined() -> None:
    with pytest.raises(MetricUndefinedError, match=r"37\.5 ms"):
        weighted_spectral_slope(estimate=np.ones(599), reference=np.ones(599), sample_rate=RATE)
