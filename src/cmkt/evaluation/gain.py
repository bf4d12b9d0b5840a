"""Which side of zero is better: the sign of a difference depends on its metric, because fewer errors are better."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmkt.metrics.about import about

if TYPE_CHECKING:
    from cmkt.evaluation.bootstrap import Interval


def gain(metric: str, difference: float) -> float:
    """A difference in a metric counted so that above zero is better, in the unit of the metric.

    >>> gain("stoi", 0.1), gain("wer", 0.1)
    (0.1, -0.1)
    """
    return difference if about(metric).higher_is_better else -difference


def surely_better(metric: str, interval: Interval) -> bool:
    """Whether the whole interval of a difference lies on the better side of zero."""
    return min(gain(metric, interval.low), gain(metric, interval.high)) > 0


def surely_worse(metric: str, interval: Interval) -> bool:
    """Whether the whole interval of a difference lies on the worse side of zero."""
    return max(gain(metric, interval.low), gain(metric, interval.high)) < 0
