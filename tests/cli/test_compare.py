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
    assert "transfer is better than plain in STOI; cannot be told from plain in SI-SDR (dB)." in printed
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


def write_runs(folder: Path) -> str:
    """Two arms of three runs: seeds move a run by up to 0.02, transfer every one of them by 0.1."""
    with ScoreWriter(folder / "scores.jsonl") as writer:
        for arm, gain in (("plain", 0.0), ("transfer", 0.1)):
            for seed, luck in enumerate((0.0, 0.02, -0.01), start=1):
                for number in range(30):
                    value = 0.5 + gain + luck + 0.001 * (number * seed % 7)
                    gender = "f" if number % 3 else "m"
                    metrics = {"stoi": value, "wer": 1 - value}
                    name = f"{arm}-{seed}"
                    writer.write(Score(str(number), 0.0, name, name, "d", 0, 1.0, gender=gender, metrics=metrics))
    return str(folder)


ARMS = ["--arms", "plain=plain-1,plain-2,plain-3", "transfer=transfer-1,transfer-2,transfer-3"]


def test_runs_of_one_configuration_are_compared_as_arms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_runs(tmp_path)
    assert main(["compare", folder, *ARMS, "--paired-seeds", "--json", str(tmp_path / "out.json")]) == 0
    printed = capsys.readouterr().out
    assert "transfer (3 runs) is better than plain (3 runs) in STOI, WER." in printed
    assert "as sharing their seed" in printed
    values = json.loads((tmp_path / "out.json").read_text())
    assert values["arms"]["transfer"] == ["transfer-1", "transfer-2", "transfer-3"]
    assert "groups" not in values


def test_groups_are_of_any_field_and_of_systems_or_arms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_runs(tmp_path)
    assert main(["compare", folder, "--group-by", "gender", "age", "--metric", "wer"]) == 0
    printed = capsys.readouterr().out
    assert "difference against plain-1" in printed
    assert "### By gender" in printed
    assert "The data do not say: age." in printed
    assert "STOI" not in printed
    assert main(["compare", folder, *ARMS, "--group-by", "gender", "--json", str(tmp_path / "out.json")]) == 0
    printed = capsys.readouterr().out
    assert "difference against plain," in printed
    assert "their intervals leave seeds out" in printed
    groups = json.loads((tmp_path / "out.json").read_text())["groups"]
    assert {(each["group"], each["system"]) for each in groups} == {
        ("all", "transfer"),
        ("f", "transfer"),
        ("m", "transfer"),
    }


def test_bad_arms_and_fields_are_one_line_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_runs(tmp_path)
    for arguments, message in (
        (["--arms", "plain=plain-1,plain-9", "b=transfer-1"], "name plain-9"),
        (["--arms", "plain-1"], "NAME=RUN"),
        (["--paired-seeds"], "must come with --arms"),
        (["--arms", "a=plain-1,plain-2", "b=transfer-1", "--paired-seeds"], "has 2 and `b` 1"),
        (["--group-by", "hat"], "is 'hat'"),
    ):
        assert main(["compare", folder, *arguments]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert error.count("\n") == 1
        assert message in error
