"""Log-likelihood ratio of linear prediction: how badly the spectral envelope of the estimate explains the reference.

Itakura, Minimum Prediction Residual Principle Applied to Speech Recognition, 1975; as a measure of enhancement Hu and
Loizou, 2008, whose published code this follows. In nats, from 0, lower is better. Identical signals have 0.
A part of the composite measures. Shapes: T samples, K frames, P order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from cmkt.metrics.frames import frames, mean_of_lowest

if TYPE_CHECKING:
    from numpy.typing import NDArray

ORDER: Final = 16
EPS: Final = float(np.finfo(np.float64).eps)
"""Added to every sample, as in the authors' code, so that digital silence has a spectrum, a flat one."""


def log_likelihood_ratio(*, estimate: NDArray[np.float64], reference: NDArray[np.float64], sample_rate: int) -> float:
    """Mean over the lowest 95% of the frames of ln(a_e R_s a_e' / a_s R_s a_s'), in nats, lower is better.

    a are the coefficients of order 16 of the estimate e and the reference s, R_s the autocorrelation of the reference.
    The ratio is 1 or more because a_s has the smallest error on the reference. Neither level matters.

    Shape: estimate (T,), reference (T,), checked by the caller.

    Raises: MetricUndefinedError under 37.5 ms.
    """
    correlation = autocorrelation(frames(reference + EPS, sample_rate), ORDER)
    own = prediction(correlation)
    other = prediction(autocorrelation(frames(estimate + EPS, sample_rate), ORDER))
    # Of a signal without any noise the error is lost in rounding, and may come out negative.
    lowest = EPS * correlation[:, 0]
    errors = [np.maximum(_error(coefficients, correlation), lowest) for coefficients in (other, own)]
    return mean_of_lowest(np.log(np.maximum(errors[0] / errors[1], 1.0)))


def autocorrelation(framed: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Sums over a frame of x[n] x[n + lag], (K, N) -> (K, order + 1)."""
    samples = framed.shape[-1]
    lags = [np.vecdot(framed[:, : samples - lag], framed[:, lag:]) for lag in range(order + 1)]
    return np.stack(lags, axis=-1)


def prediction(correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficients (K, P + 1), the first 1, of the filters whose output has the least energy: Levinson and Durbin."""
    coefficients = np.zeros_like(correlation)
    coefficients[:, 0] = 1.0
    error = correlation[:, 0].copy()
    for order in range(1, correlation.shape[-1]):
        past = coefficients[:, :order]
        reflection = -np.vecdot(past, correlation[:, order:0:-1]) / error
        coefficients[:, 1 : order + 1] += reflection[:, None] * past[:, ::-1]
        error *= 1 - np.square(reflection)
    return coefficients


def _error(coefficients: NDArray[np.float64], correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    """a R a' for each frame, (K,).

    R is a Toeplitz matrix, so that the sum over i and j of a_i a_j r_|i - j| is one over lags of their products' sums.
    """
    products = autocorrelation(coefficients, correlation.shape[-1] - 1)
    errors: NDArray[np.float64] = 2 * np.vecdot(products, correlation) - products[:, 0] * correlation[:, 0]
    return errors
