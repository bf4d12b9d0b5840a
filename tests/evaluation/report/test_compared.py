from __future__ import annotations

from dataclasses import replace

import pytest

from cmkt.errors import ConfigError
from cmkt.evaluation.record import CLEAN, NOISY, Item
from cmkt.evaluation.report.compared import comparisons
from cmkt.evaluation.report.test_sets import TestSet


def test_every_later_system_is_compared_with_the_first(made: TestSet) -> None:
    found = comparisons(made)
    assert found is not None
    assert {row.systems for row in found.rows} == {"transfer − plain"}
    assert [row.metric.name for row in found.rows] == list(made.metrics)
    assert found.conclusion.startswith("transfer ")
    assert not found.few
    assert all(0 <= row.p_value <= row.corrected_p_value <= 1 for row in found.rows)


def test_one_system_is_compared_with_nothing(made: TestSet) -> None:
    alone = {key: score for key, score in made.scores.items() if score.system != "transfer"}
    assert comparisons(replace(made, scores=alone, systems=(NOISY, "plain", CLEAN))) is None


def test_systems_on_different_mixtures_are_refused_with_the_reason(made: TestSet) -> None:
    fewer = {key: score for key, score in made.scores.items() if key != ("transfer", Item("utterance00", 5.0))}
    found = comparisons(replace(made, scores=fewer))
    assert found is not None
    assert "`transfer` lacks 1: utterance00 at 5 dB" in found.refusal
    assert found.rows == ()


def test_systems_without_a_shared_metric_are_not_compared(made: TestSet) -> None:
    apart = {
        key: replace(score, metrics={"stoi" if score.system == "plain" else "lsd": 0.5})
        for key, score in made.scores.items()
    }
    found = comparisons(replace(made, scores=apart))
    assert found is not None
    assert "share no metric" in found.refusal


def test_arms_of_several_runs_are_compared_over_their_seeds(made: TestSet) -> None:
    again = {
        (f"{name}2", item): replace(
            score, system=f"{name}2", weights="2", metrics={**score.metrics, "stoi": score.metrics["stoi"] + 0.001}
        )
        for (name, item), score in made.scores.items()
        if name in ("plain", "transfer")
    }
    seeded = replace(
        made,
        scores={**made.scores, **again},
        metrics=("stoi",),
        systems=(NOISY, "plain", "transfer", "plain2", "transfer2", CLEAN),
    )
    found = comparisons(seeded, arms=["first=plain,plain2", "second=transfer,transfer2"])
    assert found is not None
    (row,) = found.rows
    assert row.systems == "second − first"
    assert row.seeds is not None
    assert row.seeds.system_deviation == "0.0007"
    assert "(2 runs)" in found.conclusion
    with pytest.raises(ConfigError, match="nobody"):
        comparisons(seeded, arms=["first=plain,nobody", "second=transfer"])
