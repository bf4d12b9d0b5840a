"""STOI and ESTOI, the intelligibility of speech.

STOI: Taal et al., An Algorithm for Intelligibility Prediction of Time-Frequency Weighted Noisy Speech, 2011.
ESTOI: Jensen and Taal, An Algorithm for Predicting the Intelligibility of Speech Masked by Modulated Noise Maskers,
2016.
Both correlate third-octave envelopes over 384 ms at 10 kHz: at most 1, about 0 for unrelated signals, higher is better.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from cmkt.errors import MetricUndefinedError
from cmkt.extras import import_extra
from cmkt.metrics.pair import check_pair

if TYPE_CHECKING:
    from cmkt.types import FloatArray

SHORTEST_SECONDS = (256 + 29 * 128) / 10_000
"""30 frames of 256 samples at 10 kHz, half overlapping."""


def stoi(*, estimate: FloatArray, reference: FloatArray, sample_rate: int) -> float:
    """Short-time objective intelligibility, at most 1, higher is better. Identical signals have 1.

    Shape: estimate (T,), reference (T,).

    Raises:
        ConfigError: shapes differ or are not (T,).
        MetricUndefinedError: silence, not finite, or under 0.4 s of speech once silent frames are removed.
        MissingExtraError: `pystoi` is not installed.
    """
    return _stoi(estimate, reference, sample_rate, extended=False)


def estoi(*, estimate: FloatArray, reference: FloatArray, sample_rate: int) -> float:
    """Extended short-time objective intelligibility, at most 1, higher is better; for maskers that come and go too.

    Shape: estimate (T,), reference (T,).

    Raises:
        ConfigError: shapes differ or are not (T,).
        MetricUndefinedError: silence, not finite, or under 0.4 s of speech once silent frames are removed.
        MissingExtraError: `pystoi` is not installed.
    """
    return _stoi(estimate, reference, sample_rate, extended=True)


def _stoi(estimate: FloatArray, reference: FloatArray, sample_rate: int, *, extended: bool) -> float:
    pystoi = import_extra("pystoi", "eval")
    estimate, reference = check_pair(estimate=estimate, reference=reference, sample_rate=sample_rate)
    if reference.size < SHORTEST_SECONDS * sample_rate:
        raise MetricUndefinedError(f"STOI needs at least {SHORTEST_SECONDS:.2f} s of speech")
    try:
        with _own_random_state(), warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            score = float(pystoi.stoi(reference, estimate, sample_rate, extended=extended))
    except RuntimeWarning as warning:
        raise MetricUndefinedError(f"STOI needs {SHORTEST_SECONDS:.2f} s without silent frames: {warning}") from warning
    if not math.isfinite(score):
        raise MetricUndefinedError("STOI gives no finite value")
    return score


@contextmanager
def _own_random_state() -> Iterator[None]:
    """pystoi adds noise of 1e-16 from numpy's global generator: a score must neither depend on it nor move it."""
    state = np.random.get_state()
    np.random.seed(0)
    try:
        yield
    finally:
        np.random.set_state(state)
