"""`cmkt models`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cmkt.cli.main import main


def test_a_backbone_is_measured_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["models", "CRN", "--size", "default", "--seconds", "0.3", "--runs", "1"]
    assert main([*words, "--json", str(tmp_path / "costs.json")]) == 0
    assert "| CRN      | default |       459k |" in capsys.readouterr().out
    (only,) = json.loads((tmp_path / "costs.json").read_text(encoding="utf-8"))["backbones"]
    assert only["parameters"] == 458_596


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Wavenet"], "A backbone must be one of"),
        (["--seconds", "0"], "must be positive"),
        (["--seconds", "inf"], "must be positive and finite"),
        (["--seconds", "nan"], "must be positive and finite"),
        (["--runs", "0"], "must be positive"),
        (["--json", "nowhere/costs.json"], "The folder of `--json` must exist"),
    ],
)
def test_what_cannot_be_measured_is_told_before_anything_is(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", *arguments]) == 2
    assert message in capsys.readouterr().err
