"""`cmkt export`, run as the command line runs it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cmkt.audio.write import write_audio
from cmkt.cli.main import main
from cmkt.inference.load import load
from cmkt.inference.onnx import OnnxEnhancer
from cmkt.inference.save import save_model
from cmkt.models.blstm import BLSTM
from cmkt.models.crn import CRN


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run directory with a small enhancer."""
    torch.manual_seed(0)
    save_model(CRN(channels=(4,), hidden=4), tmp_path / "run" / "enhancer")
    return tmp_path / "run"


def test_a_run_becomes_a_file_that_enhances(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "model.onnx"
    assert main(["export", str(run), "--output", str(target)]) == 0
    line = capsys.readouterr().out
    assert "cmkt.models.crn.CRN, 16000 Hz, latency 37.5 ms; within" in line
    assert isinstance(load(target), OnnxEnhancer)
    write_audio(tmp_path / "a.wav", np.zeros(4_000, np.float32), 16_000)
    assert main(["enhance", str(tmp_path / "a.wav"), "--model", str(target), "--output", str(tmp_path / "out")]) == 0


def test_a_file_that_exists_needs_a_word(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "model.onnx"
    target.write_text("mine")
    assert main(["export", str(run), "--output", str(target)]) == 2
    assert "must not exist yet" in capsys.readouterr().err
    assert target.read_text() == "mine"
    assert main(["export", str(run), "--output", str(target), "--overwrite"]) == 0
    assert isinstance(load(target), OnnxEnhancer)


@pytest.mark.parametrize(
    ("output", "message"),
    [("model.pt", "must be named with .onnx"), ("no/where.onnx", "folder of `output` must exist")],
)
def test_an_output_that_cannot_be_is_refused_before_anything_is_loaded(
    output: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(tmp_path / "no_model"), "--output", str(tmp_path / output)]) == 2
    assert message in capsys.readouterr().err


def test_a_model_that_needs_the_future_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_model(BLSTM(hidden=4, layers=1, dense=4), tmp_path / "blstm")
    assert main(["export", str(tmp_path / "blstm"), "--output", str(tmp_path / "a.onnx")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: A model must be causal to become a graph, but BLSTM")
    assert error.count("\n") == 1
    assert not (tmp_path / "a.onnx").exists()
