from __future__ import annotations

from dataclasses import replace

import pytest

from cmkt.errors import CmktError, ConfigError, DataError
from cmkt.evaluation.arms import Arm, find_arms, mean_of_runs
from cmkt.evaluation.record import Item, Score
from cmkt.evaluation.run_scores import Evaluated


def run(name: str, *values: float, weights: str | None = None, **about: object) -> Evaluated:
    scores = {}
    for number, value in enumerate(values or (0.5,)):
        score = Score(str(number), 5.0, name, weights or name, "d", 0, 1.0, metrics={"stoi": value, name: 1.0})
        scores[score.item] = replace(score, **about)  # type: ignore[arg-type]
    return Evaluated(name, scores)


RUNS = [run("plain"), run("plain-2"), run("x/transfer"), run("x/transfer-2")]


def test_arms_are_spelled_by_the_names_of_their_runs_and_keep_the_order() -> None:
    arms = find_arms(RUNS, ["with=x/transfer, x/transfer-2", "plain=plain-2,plain"])
    assert [(arm.name, [run.name for run in arm.runs]) for arm in arms] == [
        ("with", ["x/transfer", "x/transfer-2"]),
        ("plain", ["plain-2", "plain"]),
    ]


def test_an_arm_may_have_one_run_beside_one_of_two() -> None:
    arms = find_arms(RUNS, ["plain=plain,plain-2", "with=x/transfer"])
    assert [len(arm.runs) for arm in arms] == [2, 1]


@pytest.mark.parametrize(
    ("spellings", "error", "message"),
    [
        (["plain"], ConfigError, "one is 'plain'"),
        (["=plain,plain-2"], ConfigError, "NAME=RUN"),
        (["plain=,"], ConfigError, "NAME=RUN"),
        (["a=plain,plain-2", "a=x/transfer"], ConfigError, "name 'a' twice"),
        (["a=plain,plain-3", "b=x/transfer"], ConfigError, r"name plain-3\. There are: plain, plain-2, x/transfer"),
        (["a=plain,plain", "b=x/transfer"], ConfigError, "name plain again"),
        (["a=plain,plain-2", "b=plain"], ConfigError, "name plain again"),
        (["a=plain,plain-2"], ConfigError, "two or more"),
        (["a=plain", "b=x/transfer"], ConfigError, "a with 1, b with 1. Leave out --arms"),
        (["noisy=plain,plain-2", "b=x/transfer"], ConfigError, "one is noisy"),
    ],
)
def test_what_is_no_comparison_of_arms_is_refused(spellings: list[str], error: type[CmktError], message: str) -> None:
    with pytest.raises(error, match=message):
        find_arms(RUNS, spellings)


def test_one_model_under_two_names_is_no_second_run() -> None:
    same = [run("plain", weights="abc"), run("copy", weights="abc"), run("transfer")]
    with pytest.raises(DataError, match="runs of `plain` must be different models"):
        find_arms(same, ["plain=plain,copy", "transfer=transfer"])
    unknown = [replace_weights(each, "") for each in same]
    assert len(find_arms(unknown, ["plain=plain,copy", "transfer=transfer"])) == 2


def replace_weights(system: Evaluated, weights: str) -> Evaluated:
    return Evaluated(system.name, {item: replace(each, weights=weights) for item, each in system.scores.items()})


def test_the_mean_of_runs_has_what_every_run_has() -> None:
    mean = mean_of_runs(Arm("plain", (run("a", 0.4, 0.6), run("b", 0.6, 0.8))))
    assert mean.name == "plain"
    assert [score.metrics for score in mean.scores.values()] == [
        {"stoi": pytest.approx(0.5)},
        {"stoi": pytest.approx(0.7)},
    ]
    assert {score.system for score in mean.scores.values()} == {"plain"}


def test_a_mixture_that_failed_in_a_run_has_no_mean_and_keeps_what_is_known_of_it() -> None:
    failed = run("a", 0.4, error="no memory", metrics={}, speaker=None)
    mean = mean_of_runs(Arm("plain", (failed, run("b", 0.6, speaker="x"))))
    score = mean.scores[Item("0", 5.0)]
    assert (score.metrics, score.error, score.speaker) == ({}, "no memory", "x")
