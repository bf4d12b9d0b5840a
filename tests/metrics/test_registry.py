from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.errors import MetricUndefinedError
from cmkt.metrics.registry import METRICS

Voice = Callable[[float, int], NDArray[np.float64]]


def test_the_order_is_that_of_the_tables() -> None:
    assert list(METRICS) == ["pesq_wb", "stoi", "estoi", "si_sdr"]
    assert [METRICS[name].unit for name in METRICS] == ["MOS-LQO", "", "", "dB"]
    assert {metric.direction for metric in METRICS.values()} == {"higher is better"}
    assert [metric.title for metric in METRICS.values()] == ["PESQ-WB", "STOI", "ESTOI", "SI-SDR"]


@pytest.mark.parametrize("name", METRICS)
def test_a_better_estimate_scores_in_the_direction_that_is_stated(name: str, voice: Voice) -> None:
    x = voice(3, 16_000)
    noise = np.random.default_rng(0).standard_normal(x.size)
    better, worse = (
        METRICS[name](estimate=x + level * noise, reference=x, sample_rate=16_000) for level in (0.003, 0.1)
    )
    assert (better > worse) == METRICS[name].higher_is_better


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
        "sys.stdout.write(','.join({'torch', 'pesq', 'pystoi', 'lhotse'} & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout == ""
