from __future__ import annotations

from pathlib import Path

import pytest

from cmkt.cli.main import main
from cmkt.evaluation.record import Score, ScoreWriter


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """An evaluation of one system, as small as can be."""
    with ScoreWriter(tmp_path / "scores" / "scores.jsonl") as writer:
        for system, value in (("noisy", 0.5), ("plain", 0.6)):
            writer.write(Score("a", 0.0, system, "", "d", 0, 1.0, metrics={"stoi": value}))
    return tmp_path / "scores"


def test_a_report_is_one_file_and_its_size_is_told(
    scores: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "new" / "report.html"
    assert main(["report", str(scores), "--output", str(output), "--title", "Mine"]) == 0
    assert "MB)" in capsys.readouterr().out
    assert "<title>Mine</title>" in output.read_text()
    assert [path.name for path in output.parent.iterdir()] == ["report.html"]


def test_a_report_that_is_there_is_replaced_only_when_asked(
    scores: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "report.html"
    output.write_text("mine")
    assert main(["report", str(scores), "--output", str(output)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert output.read_text() == "mine"
    assert main(["report", str(scores), "--output", str(output), "--overwrite"]) == 0
    assert output.read_text() != "mine"


def test_bad_input_is_one_line_on_stderr_and_leaves_nothing(
    scores: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    output = tmp_path / "report.html"
    for arguments, message in (
        ([tmp_path / "empty"], "has neither scores.jsonl nor config.yaml"),
        ([tmp_path / "none"], "is no folder"),
        ([scores, scores], "named again"),
        ([scores, "--system", "nobody"], "must be among plain"),
        ([scores, "--utterances", "-1"], "0 or more"),
        ([scores, "--output", tmp_path], "is a folder"),
    ):
        assert main(["report", "--output", str(output), *map(str, arguments)]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert error.count("\n") == 1
        assert message in error
        assert not output.exists()
