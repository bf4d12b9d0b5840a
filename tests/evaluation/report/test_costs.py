from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cmkt.evaluation.report.costs import RunCost, model_costs, model_sources, run_costs, step_ratios
from cmkt.evaluation.report.sources import Run
from cmkt.evaluation.report.test_sets import TestSet
from cmkt.evaluation.training_cost import COST, TrainingCost, write_cost
from cmkt.inference.load import default_card

COSTS = TrainingCost(100, 50.0, 10**9, None, "a processor", 1)
CURVES = {"train/steps_per_second": ([9, 19, 29], [2.0, 4.0, 4.0])}
CONFIG = {
    "seed_everything": 1,
    "output": "runs/plain",
    "model": {"transfer": None, "learning_rate": 0.1},
    "trainer": {},
}
WITH_TRANSFER = {**CONFIG, "output": "runs/transfer", "model": {"transfer": {"alpha": 0.9}, "learning_rate": 0.1}}


def test_models_are_found_where_evaluations_say_and_among_runs(made: TestSet, tmp_path: Path) -> None:
    sources = model_sources([made], [Run("own", tmp_path)])
    assert list(sources) == ["plain", "transfer", "own"]
    evaluated = Run("again", Path(sources["plain"]).resolve())
    assert list(model_sources([made], [evaluated])) == ["plain", "transfer"]


def test_the_default_model_and_its_graph_and_what_is_gone_are_told(tmp_path: Path) -> None:
    sources = {"default": "default", "graph": str(default_card().with_name("model.onnx")), "gone": str(tmp_path / "x")}
    default, graph, gone = model_costs(sources, measure_speed=False)
    assert (default.kind, default.parameters, default.latency_ms) == ("DPCRN", 317_572, 37.5)
    assert default.real_time_factor is None
    assert default.reason == ""
    assert (graph.kind, graph.parameters, graph.latency_ms) == ("ONNX graph", None, 37.5)
    assert "does not say its parameters" in graph.reason
    assert "does not exist" in gone.reason


def test_a_folder_that_another_system_wrote_is_no_model_and_a_crashed_run_says_what_it_lacks(
    tmp_path: Path, crashed: Path
) -> None:
    (cost,) = model_costs({"theirs": str(tmp_path), "crashed": str(crashed)}, measure_speed=False)
    assert cost.name == "crashed"
    assert "model.json" in cost.reason


def test_speed_is_measured_where_asked(run: Path) -> None:
    (cost,) = model_costs({"run": str(run)}, measure_speed=True)
    assert cost.real_time_factor is not None
    assert cost.real_time_factor > 0


def test_the_time_of_a_step_is_the_median_of_the_log_or_the_mean_of_all(tmp_path: Path) -> None:
    logged, whole, nothing = (Run(name, tmp_path / name) for name in ("logged", "whole", "nothing"))
    whole.path.mkdir()
    write_cost(whole.path, COSTS)
    costs = run_costs([logged, whole, nothing], {"logged": CURVES})
    assert [(cost.name, cost.seconds_per_step) for cost in costs] == [("logged", 0.25), ("whole", 0.5)]


def test_a_damaged_cost_is_left_out_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / COST).write_text("{")
    assert run_costs([Run("run", tmp_path)], {}) == []
    assert "must be the cost of a training run" in caplog.text


def test_transfer_is_set_against_its_plain_twin_only() -> None:
    costs = [RunCost("other", COSTS, 9.0), RunCost("plain", COSTS, 0.5), RunCost("transfer", COSTS, 0.55)]
    configs = {"other": {**CONFIG, "seed_everything": 2}, "plain": CONFIG, "transfer": WITH_TRANSFER}
    (found,) = step_ratios(costs, configs)
    assert (found.transfer, found.plain, found.caution) == ("transfer", "plain", "")
    assert found.ratio == pytest.approx(1.1)
    assert step_ratios(costs, {"other": configs["other"], "transfer": WITH_TRANSFER}) == []


def test_times_of_different_machines_come_with_a_caution() -> None:
    elsewhere = replace(COSTS, device="another")
    configs = {"plain": CONFIG, "transfer": WITH_TRANSFER}
    for other, caution in ((elsewhere, "on different devices"), (None, "is not known")):
        (found,) = step_ratios([RunCost("plain", COSTS, 0.5), RunCost("transfer", other, 1.0)], configs)
        assert caution in found.caution
