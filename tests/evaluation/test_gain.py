from __future__ import annotations

import pytest

from cmkt.evaluation.bootstrap import Interval
from cmkt.evaluation.gain import gain, surely_better, surely_worse


def test_more_is_better_unless_the_metric_counts_errors() -> None:
    assert [gain(metric, 0.5) for metric in ("stoi", "identified", "lsd", "wer", "cer", "wil")] == [
        *(0.5, 0.5),
        *(-0.5,) * 4,
    ]


@pytest.mark.parametrize(
    ("metric", "low", "high", "better", "worse"),
    [
        ("stoi", 0.1, 0.3, True, False),
        ("stoi", -0.3, -0.1, False, True),
        ("stoi", -0.1, 0.1, False, False),
        ("wer", 0.1, 0.3, False, True),
        ("wer", -0.3, -0.1, True, False),
        ("wer", 0.0, 0.1, False, False),
    ],
)
def test_an_interval_is_better_or_worse_when_all_of_it_is(
    metric: str, low: float, high: float, better: bool, worse: bool
) -> None:
    interval = Interval((low + high) / 2, low, high)
    assert (surely_better(metric, interval), surely_worse(metric, interval)) == (better, worse)
