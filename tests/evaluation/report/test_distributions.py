from __future__ import annotations

import pytest

from cmkt.evaluation.record import CLEAN, NOISY, Score
from cmkt.evaluation.report.distributions import MOST_DOTS, distributions
from cmkt.evaluation.report.test_sets import TestSet


def scored(values: list[float], *, metric: str = "stoi", snr_db: float | None = 0.0, system: str = "a") -> list[Score]:
    return [
        Score(str(number), snr_db, system, "w", "d", 0, 1.0, metrics={metric: value})
        for number, value in enumerate(values)
    ]


def test_a_box_has_the_quartiles_and_percentiles_of_its_values() -> None:
    (found,) = distributions(scored([0.0, 1.0, 2.0, 3.0, 4.0], metric="si_sdr"), ["si_sdr"], ["a"])
    (box,) = found.spreads
    assert (box.low, box.lower, box.median, box.upper, box.high) == pytest.approx((0.2, 1.0, 2.0, 3.0, 3.8))
    assert box.mean == 2.0
    assert not found.is_rate
    assert "a, 0 dB: median 2.00, half of them 1.00 to 3.00, n = 5" in found.svg


def test_what_is_true_or_false_is_a_rate_with_an_interval_within_0_and_1() -> None:
    (found,) = distributions(scored([1.0] * 9 + [0.0], metric="identified"), ["identified"], ["a"])
    assert found.is_rate
    (rate,) = found.spreads
    assert rate.mean == 0.9
    assert (rate.low, rate.high) == pytest.approx((0.596, 0.982), abs=1e-3)  # Newcombe 1998, method 3
    (sure,) = distributions(scored([1.0] * 4, metric="identified"), ["identified"], ["a"])[0].spreads
    assert 0.5 < sure.low < sure.high == pytest.approx(1.0)


def test_metrics_and_groups_stand_in_order_and_without_clean(made: TestSet) -> None:
    found = distributions(made.scores.values(), made.metrics, made.systems)
    assert [each.about.name for each in found] == ["stoi", "si_sdr", "lsd", "wer", "identified"]
    assert [(each.group, each.system) for each in found[0].spreads[:4]] == [
        ("−5 dB", NOISY),
        ("−5 dB", "plain"),
        ("−5 dB", "transfer"),
        ("5 dB", NOISY),
    ]
    assert CLEAN not in {each.system for each in found[-1].spreads}


def test_unknown_snrs_are_one_group_after_the_known() -> None:
    scores = scored([0.5, 0.6], snr_db=None) + scored([0.7], snr_db=-5.0)
    (found,) = distributions(scores, ["stoi"], ["a"])
    assert [each.group for each in found.spreads] == ["−5 dB", "all"]


def test_a_metric_without_values_is_left_out_and_many_dots_are_thinned() -> None:
    values = [number / 1000 for number in range(1000)]
    (found,) = distributions(scored(values), ["pesq_wb", "stoi"], ["a"])
    assert found.about.name == "stoi"
    assert found.svg.count("h0") <= MOST_DOTS
    assert found.spreads[0].median == pytest.approx(0.4995)
