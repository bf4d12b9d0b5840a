from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cmkt.errors import ConfigError, DataError
from cmkt.evaluation.record import ScoreWriter
from cmkt.evaluation.report.sources import find_sources, is_run, read_evaluation
from tests.evaluation.report.conftest import score, write_evaluation


def test_evaluations_and_runs_are_told_apart_by_what_is_in_them(evaluated: Path, crashed: Path) -> None:
    sources = find_sources([crashed, evaluated])
    assert [evaluation.path for evaluation in sources.evaluations] == [evaluated]
    assert [(run.name, run.path) for run in sources.runs] == [("crashed", crashed)]


def test_runs_that_were_evaluated_come_along(tmp_path: Path, crashed: Path) -> None:
    folder = write_evaluation(tmp_path / "evaluation", ("plain",), audio=False)
    described = json.loads((folder / "evaluation.json").read_text())
    described["systems"]["plain"]["source"] = str(crashed)
    described["systems"]["gone"] = {"source": str(tmp_path / "gone")}
    (folder / "evaluation.json").write_text(json.dumps(described))
    assert [run.path for run in find_sources([folder]).runs] == [crashed]
    assert len(find_sources([folder, crashed]).runs) == 1


def test_runs_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for parent in ("first", "second"):
        (tmp_path / parent / "run" / "logs").mkdir(parents=True)
    runs = find_sources([tmp_path / "first" / "run", tmp_path / "second" / "run"]).runs
    assert [run.name for run in runs] == ["first/run", "second/run"]


def test_what_is_neither_is_refused_by_name(tmp_path: Path, evaluated: Path) -> None:
    (tmp_path / "empty").mkdir()
    for paths, message in (
        ([tmp_path / "empty"], "has neither scores.jsonl nor config.yaml"),
        ([tmp_path / "none"], "is no folder"),
    ):
        with pytest.raises(DataError, match=message):
            find_sources(paths)
    with pytest.raises(ConfigError, match="named again"):
        find_sources([evaluated, evaluated / ".." / evaluated.name])
    with pytest.raises(ConfigError, match="none is named"):
        find_sources([])


def test_scores_of_other_data_and_older_models_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    old = replace(score(0, 5.0, "plain"), data="other")
    retrained = replace(score(1, 5.0, "plain"), weights="before")
    with ScoreWriter(tmp_path / "scores.jsonl") as writer:
        for each in (old, retrained, score(0, 5.0, "plain"), score(1, 5.0, "plain")):
            writer.write(each)
    assert len(read_evaluation(tmp_path).scores) == 2
    assert "2 scores of other data or older models were left out" in caplog.text


def test_an_empty_file_of_scores_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scores.jsonl").write_text("")
    with pytest.raises(DataError, match="must hold scores"):
        read_evaluation(tmp_path)


@pytest.mark.parametrize("content", ["{", "[1]", "\xff"])
def test_a_damaged_description_is_no_description(evaluated: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "scores.jsonl").write_bytes((evaluated / "scores.jsonl").read_bytes())
    (tmp_path / "evaluation.json").write_text(content, encoding="latin-1")
    evaluation = read_evaluation(tmp_path)
    assert evaluation.description == {}
    assert evaluation.source("plain") is None


def test_a_folder_with_anything_of_a_run_is_one(tmp_path: Path) -> None:
    assert not is_run(tmp_path)
    (tmp_path / "checkpoints").mkdir()
    assert is_run(tmp_path)
