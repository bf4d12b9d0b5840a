from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cmkt.errors import ConfigError, DataError
from cmkt.evaluation.record import Score, ScoreWriter
from cmkt.evaluation.run_scores import gather


def write(folder: Path, *systems: str, weights: str = "w") -> Path:
    with ScoreWriter(folder / "scores.jsonl") as writer:
        for system in ("noisy", *systems, "clean"):
            for name in "ab":
                writer.write(Score(name, 0.0, system, weights, "d", 0, 1.0, metrics={"stoi": 0.5}))
    return folder


def test_systems_of_several_folders_keep_their_names_and_order(tmp_path: Path) -> None:
    found = gather([write(tmp_path / "x", "plain"), write(tmp_path / "y", "transfer", "other")])
    assert [system.name for system in found] == ["plain", "transfer", "other"]
    assert all(len(system.scores) == 2 for system in found)


def test_equal_names_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    found = gather([write(tmp_path / "x", "m"), write(tmp_path / "y", "m") / "scores.jsonl"])
    assert [system.name for system in found] == ["x/m", "y/m"]
    assert {score.system for score in found[0].scores.values()} == {"x/m"}


def test_less_than_two_systems_and_a_folder_given_twice_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "x", "m")
    with pytest.raises(ConfigError, match="Two systems or more"):
        gather([folder])
    with pytest.raises(ConfigError, match="given again"):
        gather([folder, folder / "scores.jsonl"])


def test_names_take_as_many_parents_as_they_need(tmp_path: Path) -> None:
    found = gather([write(tmp_path / "A" / "test", "run"), write(tmp_path / "B" / "test", "run")])
    assert [system.name for system in found] == ["A/test/run", "B/test/run"]


def test_the_folder_one_is_in_has_a_name_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = write(tmp_path / "B", "run")
    monkeypatch.chdir(write(tmp_path / "A", "run"))
    assert [system.name for system in gather([Path(), other])] == ["A/run", "B/run"]


def test_files_of_one_folder_are_told_apart_by_their_names(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, "m") / "scores.jsonl" for name in "xy"]
    moved = [path.rename(tmp_path / f"{path.parent.name}.jsonl") for path in paths]
    assert [system.name for system in gather(moved)] == ["x.jsonl/m", "y.jsonl/m"]


def test_a_line_that_failed_later_hides_no_score(tmp_path: Path) -> None:
    folder = write(tmp_path / "x", "m", "n")
    with ScoreWriter(folder / "scores.jsonl") as writer:
        writer.write(Score("a", 0.0, "m", "w", "d", 0, 0.0, error="no memory"))
    assert all(score.metrics for score in gather([folder])[0].scores.values())


def test_a_folder_without_scores_or_without_systems_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        gather([tmp_path, tmp_path / "y"])
    with pytest.raises(DataError, match="has none"):
        gather([write(tmp_path / "x"), write(tmp_path / "y", "m")])


def test_scores_of_two_models_under_one_name_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "x", "m")
    with ScoreWriter(folder / "scores.jsonl") as writer:
        writer.write(replace(Score("a", 0.0, "m", "new", "d", 0, 1.0), metrics={"stoi": 0.9}))
    with pytest.raises(DataError, match="one model on one test set"):
        gather([folder, write(tmp_path / "y", "n")])
