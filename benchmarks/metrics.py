"""What each metric costs on an utterance of 3 s: processor time on one thread, and beside PESQ-WB in the same run.

    OMP_NUM_THREADS=1 python benchmarks/metrics.py      half a minute

The utterance is synthesised; the time hardly depends on what is said. What metrics share (PESQ in the composite
measures, one network in three of DNSMOS) is computed for each alone here, and once in the groups.
"""

from __future__ import annotations

import statistics
import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from cmkt.evaluation.score import measure
from cmkt.metrics.registry import DEFAULT_METRICS, METRICS

if TYPE_CHECKING:
    from collections.abc import Callable

RATE = 16_000
SECONDS = 3
RUNS = 7


def milliseconds_of(work: Callable[[], object]) -> float:
    """Processor time of one call."""
    started = time.process_time()
    work()
    return 1000 * (time.process_time() - started)


def main() -> None:
    """Print a table."""
    rng = np.random.default_rng(0)
    t = np.arange(SECONDS * RATE) / RATE
    voice = sum(np.sin(2 * np.pi * 120 * k * t + 3 * np.sin(2 * np.pi * 0.7 * t) + k) / k for k in range(1, 30))
    reference = 0.1 * voice * np.maximum(np.sin(4 * np.pi * t), 0) + 1e-3 * rng.standard_normal(t.size)
    estimate = reference + 0.003 * rng.standard_normal(t.size)

    groups = {name: {name: metric} for name, metric in METRICS.items()}
    groups["default metrics"] = dict(DEFAULT_METRICS)
    groups["all metrics"] = dict(METRICS)
    calls = {
        name: partial(measure, estimate=estimate, reference=reference, sample_rate=RATE, metrics=metrics)
        for name, metrics in groups.items()
    }
    for call in calls.values():
        call()
    runs = [{name: milliseconds_of(call) for name, call in calls.items()} for _ in range(RUNS)]
    base = statistics.median(run["pesq_wb"] for run in runs)
    for name in calls:
        cost = statistics.median(run[name] for run in runs)
        print(f"{name:<16} {cost:8.1f} ms {cost / base:8.2f} of PESQ-WB")


if __name__ == "__main__":
    main()
