from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import solve_toeplitz, toeplitz
from scipy.signal import lfilter

from cmkt.errors import MetricUndefinedError
from cmkt.metrics.llr import autocorrelation, log_likelihood_ratio, prediction

Pairs = dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
RATE = 16_000


@pytest.mark.parametrize(("name", "value"), [("quiet", 0.8615325030), ("loud", 2.5371380395), ("dull", 0.6112352260)])
def test_it_is_that_of_another_implementation(name: str, value: float, pairs: Pairs) -> None:
    """llr of pysepm-evo 0.1.1, a port of Loizou's MATLAB code, as its composite measures take it."""
    estimate, reference = pairs[name]
    found = log_likelihood_ratio(estimate=estimate, reference=reference, sample_rate=RATE)
    assert found == pytest.approx(value, abs=1e-6)


def test_identical_signals_have_0_and_the_level_does_not_matter(pairs: Pairs) -> None:
    estimate, reference = pairs["quiet"]
    assert log_likelihood_ratio(estimate=reference, reference=reference, sample_rate=RATE) == 0
    one, other = (
        log_likelihood_ratio(estimate=gain * estimate, reference=reference, sample_rate=RATE) for gain in (1.0, 0.01)
    )
    assert one == pytest.approx(other, abs=1e-6)


def test_two_first_order_spectra_by_hand() -> None:
    """Noise after 1 / (1 - p z): the error of the wrong p' on it is 1 + (p - p')^2 / (1 - p^2).

    What 16 coefficients of 30 ms are wrong by themselves, two signals of one spectrum show.
    """
    noise = np.random.default_rng(0).standard_normal((2, 20 * RATE))
    reference, estimate = lfilter([1], [1, -0.5], noise[0]), lfilter([1], [1, 0.2], noise[1])
    alike = lfilter([1], [1, -0.5], noise[1])
    found, error = (
        log_likelihood_ratio(estimate=each, reference=reference, sample_rate=RATE) for each in (estimate, alike)
    )
    assert found - error == pytest.approx(np.log(1 + (0.5 + 0.2) ** 2 / (1 - 0.5**2)), abs=0.03)


def test_coefficients_solve_the_normal_equations_and_the_ratio_is_that_of_matrices() -> None:
    framed = np.random.default_rng(0).standard_normal((3, 480))
    correlation = autocorrelation(framed, 16)
    np.testing.assert_allclose(correlation[1, 2], framed[1, :-2] @ framed[1, 2:])
    coefficients = prediction(correlation)
    for r, a in zip(correlation, coefficients, strict=True):
        np.testing.assert_allclose(a[1:], -solve_toeplitz(r[:-1], r[1:]), atol=1e-9)
        assert a @ toeplitz(r) @ a < r[0]


def test_silent_stretches_and_tones_have_finite_values() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE) * (np.arange(RATE) > RATE // 2)
    noise = 0.01 * np.random.default_rng(0).standard_normal(RATE)
    for estimate, reference in ((tone, noise), (noise, tone), (tone, 0.5 * tone)):
        value = log_likelihood_ratio(estimate=estimate, reference=reference, sample_rate=RATE)
        assert np.isfinite(value)
        assert value >= 0


def test_too_short_is_undefined() -> None:
    with pytest.raises(MetricUndefinedError, match=r"37\.5 ms"):
        log_likelihood_ratio(estimate=np.ones(599), reference=np.ones(599), sample_rate=RATE)
