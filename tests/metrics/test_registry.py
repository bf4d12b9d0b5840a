from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.errors import ConfigError, MetricUndefinedError
from cmkt.metrics.about import ABOUT
from cmkt.metrics.registry import DEFAULT_METRICS, METRICS, choose_metrics

Voice = Callable[[float, int], NDArray[np.float64]]


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
    x = voice(3, 16_000)
    noise = np.random.default_rng(0).standard_normal(x.size)
    better, worse = (
        METRICS[name](estimate=x + level * noise, reference=x, sample_rate=16_000) for level in (0.003, 0.1)
    )
    assert (better > worse) == ABOUT[name].higher_is_better


@pytest.mark.parametrize("name", METRICS)
def test_silence_is_undefined_with_a_reason(name: str, voice: Voice) -> None:
    x = voice(3, 16_000)
    with pytest.raises(MetricUndefinedError, match="silent"):
        METRICS[name](estimate=x, reference=0 * x, sample_rate=16_000)


@pytest.mark.parametrize("name", METRICS)
def test_inputs_are_left_alone(name: str, voice: Voice) -> None:
    x = voice(3, 16_000)
    y = x + 0.01
    before = x.copy(), y.copy()
    METRICS[name](estimate=y, reference=x, sample_rate=16_000)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])


def test_importing_audio_signal_and_metrics_brings_neither_torch_nor_the_optional_packages() -> None:
    script = (
        "import sys, importlib, pkgutil, cmkt.audio, cmkt.signal, cmkt.metrics\n"
        "for part in (cmkt.audio, cmkt.signal, cmkt.metrics):\n"
        "    for module in pkgutil.iter_modules(part.__path__, part.__name__ + '.'):\n"
        "        importlib.import_module(module.name)\n"
        "sys.stdout.write(','.join({'torch', 'pesq', 'pystoi', 'lhotse', 'onnxruntime'} & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout == ""
