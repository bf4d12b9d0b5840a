from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from cmkt.audio.write import write_audio
from cmkt.cli.main import main
from cmkt.inference.load import GRAPH_NAME, default_card
from cmkt.inference.save import save_model
from cmkt.models.crn import CRN

RATE = 16_000


class LetterTeacher:
    """A fixed vector for each word, made of its letters."""

    width = 8
    identity = "letters"
    causal = True

    def __init__(self, name: str) -> None:
        assert name == "embedded-en"

    def embed(self, texts: Sequence[str]) -> list[Tensor]:
        return [torch.stack([_vector(word) for word in text.split()]) for text in texts]


def _vector(word: str) -> Tensor:
    return torch.randn(8, generator=torch.Generator().manual_seed(sum(map(ord, word))))


@pytest.fixture(autouse=True)
def teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cmkt.text.teacher.EmbeddedTeacher", LetterTeacher)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared folder of three utterances with transcripts and a noise."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for part in ("speech", "noise"):
        (folder / part).mkdir()
    for number, text in enumerate(("one or two words", "a few more of them", "and the last")):
        tone = 0.2 * np.sin(2 * np.pi * (200 + 50 * number) * np.arange(RATE) / RATE)
        write_audio(folder / "speech" / f"{number}.wav", tone + 1e-3 * rng.standard_normal(RATE), RATE)
        (folder / "speech" / f"{number}.txt").write_text(text)
    write_audio(folder / "noise" / "hiss.wav", 0.1 * rng.standard_normal(2 * RATE), RATE)
    prepared = folder / "prepared"
    asked = ["--speech", folder / "speech", "--noise", folder / "noise", "--output", prepared, "--dev-fraction", "0"]
    assert main(["prepare", "folder", *map(str, asked)]) == 0
    shutil.copytree(prepared, folder / "held_out")
    return prepared


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two saved models."""
    folder = tmp_path_factory.mktemp("runs")
    for name in ("plain", "transfer"):
        save_model(CRN(channels=(4, 8), hidden=16), folder / name)
    return folder / "plain", folder / "transfer"


def command(data: Path, *runs: Path) -> list[str]:
    held_out = data.parent / "held_out"
    asked = ["probe", *runs, "--data", data, "--held-out", held_out, "--teacher", "embedded", "--steps", "2"]
    return [str(each) for each in asked]


def test_every_run_has_a_row_with_its_floor_and_its_gain(
    data: Path, runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command(data, *runs), "--output", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert all(
        word in printed
        for word in ("| plain ", "| transfer ", "mismatched", "noise", "mean direction", "linguistic gain [95%]")
    )
    assert (tmp_path / "out" / "probe.md").read_text() in printed
    values = json.loads((tmp_path / "out" / "probe.json").read_text())
    assert values["teacher"] == "letters"
    assert [score["name"] for score in values["scores"]] == ["plain", "transfer"]
    for score in values["scores"]:
        assert score["gain"] == pytest.approx(score["mismatched"] - score["true"], abs=1e-6)


@pytest.mark.parametrize("alignment", ["positional", "causal", "sinkhorn"])
def test_any_alignment_can_be_the_bridge(
    alignment: str, data: Path, runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [*command(data, runs[0]), "--alignment", alignment, "--output", str(tmp_path / "out")]
    assert main(asked) == 0
    assert "linguistic gain" in capsys.readouterr().out
    values = json.loads((tmp_path / "out" / "probe.json").read_text())
    (described,) = values["alignments"].values()
    assert described.lower().startswith(f"{alignment}(")


def test_every_alignment_and_shift_has_a_row(
    data: Path, runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--alignment", "positional", "attention", "--shift-tokens", "0", "1"]
    assert main([*command(data, runs[0]), *asked]) == 0
    printed = capsys.readouterr().out
    assert [line.split("|")[2].strip() for line in printed.splitlines() if line.startswith("| plain")] == [
        "positional",
        "attention, shift 0",
        "attention, shift 1",
    ]


def test_the_causal_bridge_refuses_a_bidirectional_teacher(
    data: Path, runs: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(LetterTeacher, "causal", False)
    assert main([*command(data, runs[0]), "--alignment", "causal"]) == 2
    assert "bidirectional" in capsys.readouterr().err


def test_references_stand_beside_the_run(
    data: Path, runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command(data, runs[0]), "--references", "--limit", "3"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in ("plain", "untrained CRN", "noisy log-mel", "clean log-mel"))


def test_characters_are_probed_by_ctc(
    data: Path, runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spell = ["--alignment", "ctc", "--teacher", "characters", "--output", str(tmp_path / "out")]
    assert main([*command(data, runs[0]), *spell]) == 0
    (score,) = json.loads((tmp_path / "out" / "probe.json").read_text())["scores"]
    assert score["retrieval"]["utterances"] == 3
    assert "others beaten" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--layer", "recurent"], "Closest: recurrent"),
        (["--layout", "b c"], "`layout`"),
        (["--data", "nowhere"], "prepared folder"),
        (["--held-out", "nowhere"], "prepared folder"),
        (["--steps", "0"], "`steps`"),
        (["--language", "zh"], "language 'zh'"),
        (["--shift-tokens", "40"], "shift"),
        (["--alignment", "positional", "--shift-tokens", "1"], "`--shift-tokens` must be left out"),
        (["--alignment", "ctc", "--shift-tokens", "1"], "`--shift-tokens` must be left out"),
        (["--alignment", "ctc"], "characters"),
        (["--alignment", "causal", "--shift-tokens", "0"], "`delay`"),
    ],
)
def test_bad_input_is_one_line_on_stderr(
    change: list[str], message: str, data: Path, runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command(data, runs[0]), *change]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert message in error


def test_a_missing_run_is_refused(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(data, tmp_path / "none")) == 2
    assert "does not exist" in capsys.readouterr().err


def test_a_graph_is_refused_because_it_has_no_layers(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(data, default_card().with_name(GRAPH_NAME))) == 2
    assert "is an ONNX graph, which has no layers" in capsys.readouterr().err


def test_probing_on_what_the_bridge_was_trained_on_is_refused(
    data: Path, runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command(data, runs[0]), "--held-out", str(data)]) == 2
    assert "`--held-out`" in capsys.readouterr().err


def test_a_model_class_from_outside_is_probed_when_allowed(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "convolving_for_probe.py").write_text(
        "from torch import nn\n"
        "class Convolver(nn.Module):\n"
        "    sample_rate, init_args = 16000, {}\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.inner = nn.Conv1d(1, 4, 33, stride=160, padding=16)\n"
        "    def forward(self, noisy):\n"
        "        return noisy * self.inner(noisy[:, None]).mean((1, 2))[:, None]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    model = save_model(importlib.import_module("convolving_for_probe").Convolver(), tmp_path / "convolver")
    asked = [*command(data, model), "--layer", "inner", "--layout", "b c t"]
    assert main(asked) == 2
    assert "--allow-foreign" in capsys.readouterr().err
    assert main([*asked, "--allow-foreign"]) == 0
