from __future__ import annotations

import json
from pathlib import Path

import pytest

from cmkt.cli.main import main
from cmkt.evaluation.record import Score, ScoreWriter


def write(folder: Path, system: str, gain: float, *, utterances: int = 30) -> str:
    with ScoreWriter(folder / "scores.jsonl") as writer:
        for number in range(utterances):
            value = 0.5 + gain + 0.001 * (number % 7)
            writer.write(Score(str(number), 0.0, system, "w", "d", 0, 1.0, metrics={"stoi": value, "si_sdr": 1.0}))
    return str(folder)


def test_folders_are_compared_and_the_conclusion_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [write(tmp_path / "a", "plain", 0.0), write(tmp_path / "b", "transfer", 0.1)]
    assert main(["compare", *folders, "--json", str(tmp_path / "out.json")]) == 0
    printed = capsys.readouterr().out
    assert "| transfer - plain |" in printed
    assert "transfer is above plain in STOI; cannot be told from plain in SI-SDR (dB)." in printed
    assert len(json.loads((tmp_path / "out.json").read_text())["comparisons"]) == 2
    assert main(["compare", *folders, "--metric", "stoi"]) == 0
    assert "SI-SDR" not in capsys.readouterr().out


def test_bad_input_is_one_line_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, fewer = write(tmp_path / "a", "plain", 0.0), write(tmp_path / "b", "transfer", 0.1, utterances=29)
    for arguments, message in (
        ([first, fewer], "`transfer` lacks 1: 29 at 0 dB"),
        ([first], "Two systems or more"),
        ([first, str(tmp_path / "none")], "does not exist"),
        ([first, fewer, "--metric", "loudness"], "`--metric` must be among"),
    ):
        assert main(["compare", *arguments]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert error.count("\n") == 1
        assert message in error


def test_systems_that_share_no_metric_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [write(tmp_path / "a", "plain", 0.0), write(tmp_path / "b", "transfer", 0.1)]
    assert main(["compare", *folders, "--metric", "identified"]) == 2
    assert "share none" in capsys.readouterr().err
