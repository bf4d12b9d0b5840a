"""`cmkt layers`."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmkt.cli.main import main
from cmkt.inference.save import save_model
from cmkt.models.crn import CRN


def test_a_class_is_built_and_listed(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["layers", "cmkt.models.crn.CRN", "--init-args", '{"channels": [4, 6], "hidden": 20}']
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert 'layer="recurrent.gru", layout="b t c"' in out
    assert "not called" not in out
    assert main([*arguments, "--all"]) == 0


def test_a_saved_model_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_model(CRN(channels=(4, 6), hidden=20), tmp_path / "model")
    assert main(["layers", str(tmp_path / "model")]) == 0
    assert "recurrent.gru" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no.such.Class"], "importable class"),
        (["NoModule"], "importable class"),
        (["cmkt.models.crn.CRN", "--init-args", "[1]"], "JSON object"),
        (["cmkt.models.crn.CRN", "--init-args", "{"], "JSON object"),
        (["cmkt.models.crn.CRN", "--init-args", '{"depth": 3}'], "must fit"),
        (["cmkt.errors.CmktError"], "nn.Module"),
        (["torch.nn.Identity"], "--sample-rate"),
    ],
)
def test_what_cannot_be_listed_is_explained(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["layers", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_model_without_usable_layers_is_exit_code_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers", "torch.nn.Identity", "--sample-rate", "16000"]) == 1
    assert "No layer" in capsys.readouterr().out


def test_a_layer_of_too_narrow_frames_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["layers", "cmkt.models.crn.CRN", "--init-args", '{"channels": [4, 6], "hidden": 8}', "--all"]
    main(arguments)
    (row,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("recurrent.gru "))
    assert row.endswith("width outside 16 to 2048")
