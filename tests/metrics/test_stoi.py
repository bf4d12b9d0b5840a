from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.errors import ConfigError, MetricUndefinedError, MissingExtraError
from cmkt.metrics.stoi import estoi, stoi
from cmkt.types import Metric

Voice = Callable[[float, int], NDArray[np.float64]]
RATE = 16_000
BOTH = pytest.mark.parametrize("metric", [stoi, estoi])


def noisy(x: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    return x + level * np.random.default_rng(0).standard_normal(x.size)


@BOTH
@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_identical_signals_have_1(metric: Metric, voice: Voice, rate: int) -> None:
    x = voice(3, rate)
    assert metric(estimate=x, reference=x, sample_rate=rate) == pytest.approx(1.0, abs=1e-6)


@BOTH
def test_more_noise_is_worse(metric: Metric, voice: Voice) -> None:
    x = voice(3, RATE)
    scores = [metric(estimate=noisy(x, level), reference=x, sample_rate=RATE) for level in (1e-3, 1e-2, 1e-1)]
    assert 1 >= scores[0] > scores[1] > scores[2] > 0


@BOTH
def test_the_gain_of_the_estimate_does_not_matter(metric: Metric, voice: Voice) -> None:
    x = voice(3, RATE)
    y = noisy(x, 0.03)
    scores = [metric(estimate=gain * y, reference=x, sample_rate=RATE) for gain in (0.1, 1.0, 5.0)]
    assert np.ptp(scores) < 1e-6


def test_unrelated_noise_has_about_0(voice: Voice) -> None:
    x = voice(6, RATE)
    assert abs(estoi(estimate=noisy(0 * x, 1.0), reference=x, sample_rate=RATE)) < 0.1


def test_the_two_are_different_measures(voice: Voice) -> None:
    x = voice(3, RATE)
    y = noisy(x, 0.03)
    assert stoi(estimate=y, reference=x, sample_rate=RATE) > estoi(estimate=y, reference=x, sample_rate=RATE)


@BOTH
@pytest.mark.parametrize("seconds", [0.001, 0.1, 0.39])
def test_too_short_is_undefined(metric: Metric, voice: Voice, seconds: float) -> None:
    x = voice(3, RATE)[1000 : 1000 + int(seconds * RATE)]
    with pytest.raises(MetricUndefinedError, match=r"0\.40 s"):
        metric(estimate=x, reference=x, sample_rate=RATE)


@BOTH
def test_too_little_speech_in_a_long_signal_is_undefined_and_no_number(metric: Metric, voice: Voice) -> None:
    x = np.concatenate([voice(0.2, RATE), np.zeros(3 * RATE)])
    with pytest.raises(MetricUndefinedError, match="silent frames"):
        metric(estimate=x, reference=x, sample_rate=RATE)


@BOTH
def test_silence_and_not_finite_are_undefined(metric: Metric, voice: Voice) -> None:
    x = voice(1, RATE)
    for bad in (np.zeros_like(x), np.full_like(x, np.nan)):
        with pytest.raises(MetricUndefinedError):
            metric(estimate=bad, reference=x, sample_rate=RATE)
        with pytest.raises(MetricUndefinedError):
            metric(estimate=x, reference=bad, sample_rate=RATE)


@BOTH
def test_another_length_is_a_config_error(metric: Metric, voice: Voice) -> None:
    x = voice(1, RATE)
    with pytest.raises(ConfigError, match="as long as"):
        metric(estimate=x[1:], reference=x, sample_rate=RATE)


@BOTH
def test_the_score_neither_depends_on_the_global_generator_nor_moves_it(metric: Metric, voice: Voice) -> None:
    x = voice(2, RATE)
    y = noisy(x, 0.03)
    scores, draws = set(), set()
    for _ in range(2):
        np.random.seed(3)
        scores.add(metric(estimate=y, reference=x, sample_rate=RATE))
        draws.add(float(np.random.uniform()))
        scores.add(metric(estimate=y, reference=x, sample_rate=RATE))
    np.random.seed(3)
    assert draws == {float(np.random.uniform())}
    assert len(scores) == 1


@BOTH
def test_a_missing_package_is_an_error_that_names_the_command(
    metric: Metric, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pystoi", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'cmkt\[eval\]'"):
        metric(estimate=voice(1, RATE), reference=voice(1, RATE), sample_rate=RATE)
