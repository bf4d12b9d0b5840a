from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pesq
import pytest
from numpy.typing import NDArray

from cmkt.audio.read import read_audio
from cmkt.errors import ConfigError, MetricUndefinedError
from cmkt.metrics.about import ABOUT
from cmkt.metrics.registry import DEFAULT_METRICS, METRICS, choose_metrics
from cmkt.metrics.utterance import Utterance

Voice = Callable[[float, int], NDArray[np.float64]]


def noisy(x: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    return x + level * np.random.default_rng(0).standard_normal(x.size)


def test_metrics_have_the_order_and_the_names_of_the_table_about_them() -> None:
    assert list(METRICS) == [name for name in ABOUT if name in METRICS]
    assert all(METRICS[name].name == name for name in METRICS)


def test_by_default_what_a_reference_allows_is_measured() -> None:
    assert list(DEFAULT_METRICS) == [name for name, metric in METRICS.items() if metric.needs_reference]


def test_metrics_are_chosen_by_name_in_the_order_of_tables() -> None:
    assert list(choose_metrics(["si_sdr", "pesq_wb", "si_sdr"])) == ["pesq_wb", "si_sdr"]
    assert choose_metrics([]) == {}
    with pytest.raises(ConfigError, match=r"`metrics` must be among pesq_wb, .*, but has mos, sdr"):
        choose_metrics(["sdr", "stoi", "mos"])


def test_a_registered_metric_crosses_into_another_process() -> None:
    assert pickle.loads(pickle.dumps(METRICS["stoi"])).name == "stoi"


@pytest.mark.parametrize("name", METRICS)
def test_a_better_estimate_scores_in_the_direction_that_is_stated(name: str, voice: Voice) -> None:
    x = noisy(voice(9.01, 16_000), 1e-3)
    better, worse = (METRICS[name](estimate=noisy(x, level), reference=x, sample_rate=16_000) for level in (0.001, 0.1))
    assert (better > worse) == ABOUT[name].higher_is_better


@pytest.mark.parametrize("name", METRICS)
def test_silence_is_undefined_with_a_reason(name: str) -> None:
    silence = np.zeros(48_000)
    with pytest.raises(MetricUndefinedError, match="silent"):
        METRICS[name](estimate=silence, reference=silence, sample_rate=16_000)


@pytest.mark.parametrize("name", METRICS)
def test_inputs_are_left_alone(name: str, voice: Voice) -> None:
    x = voice(9.01, 16_000)
    y = x + 0.01
    before = x.copy(), y.copy()
    METRICS[name](estimate=y, reference=x, sample_rate=16_000)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])


@pytest.mark.parametrize("name", METRICS)
def test_without_a_reference_only_what_needs_none_has_a_value(name: str, voice: Voice) -> None:
    x = voice(9.01, 16_000)
    if METRICS[name].needs_reference:
        with pytest.raises(MetricUndefinedError, match="no clean reference"):
            METRICS[name](estimate=x, sample_rate=16_000)
    else:
        assert 0 < METRICS[name](estimate=x, sample_rate=16_000) < 5


@pytest.mark.corpus
@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.needs_reference])
def test_more_noise_is_worse_on_real_speech(name: str, corpus: Path) -> None:
    for path in sorted((corpus / "speech").rglob("*.flac"))[::400]:
        audio, rate = read_audio(path)
        x = audio[0].astype(np.float64)
        rms = float(np.sqrt(np.mean(x**2)))
        scores = [
            METRICS[name](estimate=noisy(x, rms * level), reference=x, sample_rate=rate) for level in (0.05, 0.2, 0.8)
        ]
        assert scores == sorted(scores, reverse=ABOUT[name].higher_is_better)
        assert scores[0] != scores[2]


def test_pesq_is_computed_once_for_itself_and_three_composite_measures(
    voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def count(rate: int, reference: object, estimate: object, band: str) -> float:
        calls.append(band)
        return 2.5

    monkeypatch.setattr(pesq, "pesq", count)
    x = noisy(voice(3, 16_000), 1e-3)
    found = measured(noisy(x, 0.003), x)
    assert found["pesq_wb"] == 2.5
    assert found["csig"] > found["covl"] > 1
    assert calls == ["wb"]


def measured(estimate: NDArray[np.float64], reference: NDArray[np.float64]) -> dict[str, float]:
    utterance = Utterance(estimate=estimate, reference=reference, sample_rate=16_000)
    names = ("csig", "pesq_wb", "covl", "cbak")
    return {name: utterance.once(METRICS[name].compute) for name in names}


def test_importing_audio_signal_and_metrics_brings_neither_torch_nor_the_optional_packages() -> None:
    script = (
        "import sys, importlib, pkgutil, cmkt.audio, cmkt.signal, cmkt.metrics\n"
        "for part in (cmkt.audio, cmkt.signal, cmkt.metrics):\n"
        "    for module in pkgutil.iter_modules(part.__path__, part.__name__ + '.'):\n"
        "        importlib.import_module(module.name)\n"
        "unwanted = {'torch', 'pesq', 'pystoi', 'lhotse', 'onnxruntime', 'speechmos'}\n"
        "sys.stdout.write(','.join(unwanted & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout == ""
