from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pesq
import pytest
from numpy.typing import NDArray

from cmkt.audio.read import read_audio
from cmkt.errors import ConfigError, MetricUndefinedError, MissingExtraError
from cmkt.metrics.pesq import pesq_nb, pesq_wb
from cmkt.types import Metric

Voice = Callable[[float, int], NDArray[np.float64]]
RATE = 16_000
BEST: dict[Metric, float] = {pesq_wb: 4.6439, pesq_nb: 4.5486}
BOTH = pytest.mark.parametrize("metric", BEST)


def noisy(x: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    return x + level * np.random.default_rng(0).standard_normal(x.size)


@BOTH
def test_identical_signals_have_the_highest_score(metric: Metric, voice: Voice) -> None:
    x = voice(3, RATE)
    assert metric(estimate=x, reference=x, sample_rate=RATE) == pytest.approx(BEST[metric], abs=1e-4)


@BOTH
def test_more_noise_is_worse_and_within_the_range(metric: Metric, voice: Voice) -> None:
    x = voice(3, RATE)
    scores = [metric(estimate=noisy(x, level), reference=x, sample_rate=RATE) for level in (1e-3, 1e-2, 1e-1)]
    assert BEST[metric] > scores[0] > scores[1] > scores[2] > 1.0


def test_the_gain_of_the_estimate_hardly_matters(voice: Voice) -> None:
    x = voice(3, RATE)
    y = noisy(x, 0.01)
    scores = [pesq_wb(estimate=gain * y, reference=x, sample_rate=RATE) for gain in (0.3, 1.0, 2.0)]
    assert np.ptp(scores) < 0.1


def test_estimate_and_reference_are_not_interchangeable(voice: Voice) -> None:
    x = voice(3, RATE)
    y = noisy(x, 0.03)
    there = pesq_wb(estimate=y, reference=x, sample_rate=RATE)
    assert there != pytest.approx(pesq_wb(estimate=x, reference=y, sample_rate=RATE), abs=0.01)


@BOTH
@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_other_rates_are_scored_at_that_of_the_band(metric: Metric, voice: Voice, rate: int) -> None:
    x = voice(3, rate)
    assert metric(estimate=x, reference=x, sample_rate=rate) == pytest.approx(BEST[metric], abs=1e-4)


def test_single_precision_is_taken(voice: Voice) -> None:
    x = voice(3, RATE).astype(np.float32)
    assert isinstance(pesq_wb(estimate=x, reference=x, sample_rate=RATE), float)


@BOTH
def test_silence_is_undefined_on_either_side(metric: Metric, voice: Voice) -> None:
    x = voice(3, RATE)
    for estimate, reference in ((np.zeros_like(x), x), (x, np.zeros_like(x))):
        with pytest.raises(MetricUndefinedError, match="silent"):
            metric(estimate=estimate, reference=reference, sample_rate=RATE)


@BOTH
@pytest.mark.parametrize("samples", [1, 100, 3_990])
def test_under_a_quarter_of_a_second_is_undefined(metric: Metric, voice: Voice, samples: int) -> None:
    x = voice(3, RATE)[1_000 : 1_000 + samples]
    with pytest.raises(MetricUndefinedError, match="quarter of a second"):
        metric(estimate=x, reference=x, sample_rate=RATE)


@pytest.mark.parametrize(
    ("error", "reason"),
    [(pesq.NoUtterancesError, "no utterance"), (pesq.OutOfMemoryError, "PESQ fails: full"), (math.nan, "finite")],
)
def test_what_the_reference_code_cannot_score_is_undefined(
    voice: Voice, monkeypatch: pytest.MonkeyPatch, error: type[Exception] | float, reason: str
) -> None:
    def fail(*_: object) -> float:
        if isinstance(error, float):
            return error
        raise error("full")

    monkeypatch.setattr(pesq, "pesq", fail)
    with pytest.raises(MetricUndefinedError, match=reason):
        pesq_wb(estimate=voice(1, RATE), reference=voice(1, RATE), sample_rate=RATE)


def test_not_finite_is_undefined_and_another_length_is_a_config_error(voice: Voice) -> None:
    x = voice(3, RATE)
    broken = x.copy()
    broken[100] = np.nan
    with pytest.raises(MetricUndefinedError, match="estimate is not finite"):
        pesq_wb(estimate=broken, reference=x, sample_rate=RATE)
    with pytest.raises(ConfigError, match="as long as"):
        pesq_wb(estimate=x[1:], reference=x, sample_rate=RATE)


@BOTH
def test_more_utterances_than_the_reference_code_holds_are_undefined_where_it_would_crash(metric: Metric) -> None:
    """28 s of bursts of 0.21 s, 0.21 s apart, end the process with a segmentation fault in pesq 0.0.4."""
    time = np.arange(28 * RATE) / RATE
    bursts = 0.1 * np.random.default_rng(1).standard_normal(time.size) * (time % 0.42 < 0.21)
    with pytest.raises(MetricUndefinedError, match="50 utterances"):
        metric(estimate=noisy(bursts, 0.01), reference=bursts, sample_rate=RATE)


@BOTH
def test_48_utterances_with_pauses_of_a_quarter_of_a_second_are_scored(metric: Metric, voice: Voice) -> None:
    x = voice(24, RATE)
    assert metric(estimate=x, reference=x, sample_rate=RATE) == pytest.approx(BEST[metric], abs=1e-4)


@BOTH
def test_a_missing_package_is_an_error_that_names_the_command(
    metric: Metric, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pesq", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'cmkt\[eval\]'"):
        metric(estimate=voice(1, RATE), reference=voice(1, RATE), sample_rate=RATE)


@BOTH
@pytest.mark.corpus
def test_real_speech_has_the_known_best_score(metric: Metric, corpus: Path) -> None:
    x, rate = read_audio(sorted((corpus / "speech").rglob("*.flac"))[0])
    assert metric(estimate=x[0], reference=x[0], sample_rate=rate) == pytest.approx(BEST[metric], abs=1e-4)
