"""`cmkt average`, run as the command line runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cmkt.cli.main import main
from cmkt.inference.save import save_model
from cmkt.models.crn import CRN


def test_runs_become_one_enhancer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in (0, 1):
        torch.manual_seed(seed)
        save_model(CRN(channels=(4,), hidden=4), tmp_path / f"run{seed}" / "enhancer")
    runs = [str(tmp_path / f"run{seed}") for seed in (0, 1)]
    assert main(["average", *runs, "--output", str(tmp_path / "mean")]) == 0
    assert f"{tmp_path / 'mean'}: the mean of 2 CRN. Next: cmkt evaluate" in capsys.readouterr().out
    assert main(["export", str(tmp_path / "mean"), "--output", str(tmp_path / "mean.onnx")]) == 0


def test_what_is_missing_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["average", "default", str(tmp_path / "no"), "--output", str(tmp_path / "mean")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: The model must be a run directory")
    assert error.count("\n") == 1
    assert not (tmp_path / "mean").exists()
