from __future__ import annotations

import pytest

from cmkt.evaluation.bootstrap import Interval
from cmkt.evaluation.report.interval_bar import WIDTH, common_scale, interval_bar, tone_of


@pytest.mark.parametrize(
    ("metric", "low", "high", "tone"),
    [
        ("stoi", 0.1, 0.2, "better"),
        ("stoi", -0.2, -0.1, "worse"),
        ("stoi", -0.1, 0.1, "open"),
        ("stoi", 0.0, 0.1, "open"),
        ("wer", 0.1, 0.2, "worse"),
        ("wer", -0.2, -0.1, "better"),
    ],
)
def test_the_side_of_zero_counts_by_the_direction_of_the_metric(
    metric: str, low: float, high: float, tone: str
) -> None:
    assert tone_of(metric, Interval((low + high) / 2, low, high)) == tone


def test_all_bars_of_a_column_share_a_scale_with_zero_in_it() -> None:
    scale = common_scale([Interval(2.0, 1.0, 3.0), Interval(5.0, 4.0, 6.0)])
    assert (scale.low, scale.high) == (0.0, 6.0)
    assert 0 < scale(0.0) < scale(6.0) < WIDTH


@pytest.mark.parametrize("intervals", [[], [Interval(0.0, 0.0, 0.0)]])
def test_nothing_to_show_has_a_scale_too(intervals: list[Interval]) -> None:
    scale = common_scale(intervals)
    assert scale(0.0) == pytest.approx(WIDTH / 2)


def test_a_bar_shows_interval_and_zero_and_is_silent_to_screen_readers() -> None:
    interval = Interval(1.0, 0.5, 1.5)
    svg = interval_bar(interval, common_scale([interval]), "better")
    assert 'aria-hidden="true"' in svg
    assert 'class="bar better"' in svg
    assert svg.count("<line") == 2
