"""The folder of a run."""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

import pytest

from cmkt.errors import ConfigError
from cmkt.training.run_directory import RunDirectory, config_hash, git_commit


def steps(path: Path) -> list[tuple[int, str]]:
    with path.open(newline="") as file:
        return [(int(row["step"]), row.get("loss", "")) for row in csv.DictReader(file)]


def test_a_new_or_empty_folder_is_free(tmp_path: Path) -> None:
    RunDirectory(tmp_path / "new").check_free()
    RunDirectory(tmp_path).check_free()


def test_a_start_that_came_to_nothing_does_not_stand_in_the_way(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.config.write_text("a: 1\n")
    run.check_free()


def test_a_log_without_a_checkpoint_is_work_that_is_not_overwritten(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.logs.mkdir()
    run.metrics.touch()
    with pytest.raises(ConfigError, match="holds a run"):
        run.check_free()


def test_a_file_as_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with pytest.raises(ConfigError, match="must be a folder"):
        RunDirectory(tmp_path / "run").check_free()


def test_a_folder_with_a_run_is_refused_and_says_how_to_resume(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.checkpoints.mkdir()
    with pytest.raises(ConfigError, match="holds a run"):
        run.check_free()
    run.last.touch()
    with pytest.raises(ConfigError, match=r"--ckpt_path .*last\.ckpt"):
        run.check_free()


def test_a_resumed_log_holds_every_step_once(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.logs.mkdir()
    run.metrics.write_text("step,loss\n0,0.9\n1,0.8\n2,0.7\n")
    run.set_earlier_metrics_aside(2)
    assert not run.metrics.exists()
    run.metrics.write_text("loss,speed,step\n0.71,5,2\n0.6,5,3\n")  # killed here, and resumed again
    run.set_earlier_metrics_aside(3)
    run.metrics.write_text("loss,step\n0.61,3\n")
    run.join_metrics()
    assert steps(run.metrics) == [(0, "0.9"), (1, "0.8"), (2, "0.71"), (3, "0.61")]
    assert [child.name for child in run.logs.iterdir()] == ["metrics.csv"]


def test_joining_a_log_that_was_never_interrupted_changes_nothing(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.logs.mkdir()
    run.metrics.write_text("step,loss\n0,0.9\n")
    run.join_metrics()
    assert run.metrics.read_text() == "step,loss\n0,0.9\n"


def test_the_hash_of_a_config_changes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("a: 1\n")
    first = config_hash(path)
    path.write_text("a: 2\n")
    assert len(first) == 16
    assert config_hash(path) != first


def test_the_commit_is_none_outside_of_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert git_commit() is None


def test_the_commit_says_when_files_differ_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").write_text("1")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for arguments in (["init", "-q"], ["add", "a"], [*identity, "commit", "-q", "-m", "a"]):
        subprocess.run(["git", *arguments], check=True, capture_output=True)
    commit = git_commit()
    assert commit is not None
    assert len(commit) == 40
    (tmp_path / "a").write_text("2")
    assert git_commit() == commit + "+changes"
