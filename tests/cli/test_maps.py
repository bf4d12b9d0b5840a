"""A small run with transfer, trained by `cmkt fit` itself: its maps, and the probe at its checkpoints."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from cmkt.audio.write import write_audio
from cmkt.cli.main import main
from cmkt.errors import CheckpointError
from cmkt.evaluation.checkpoints import kept_checkpoints, load_kept, read_kept
from cmkt.inference.load import load_torch
from cmkt.inference.save import save_model
from cmkt.models.crn import CRN
from cmkt.transfer.attention import AttentionAlignment

RATE = 16_000
CONFIGS = Path(__file__).resolve().parents[2] / "configs"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared folders `train` and `dev`, each of three utterances with transcripts and a noise."""
    root = tmp_path_factory.mktemp("maps")
    rng = np.random.default_rng(0)
    texts = {
        "train": ("one or two words", "a few more of them", "and the last"),
        "dev": ("a new one that is long", "yes it is as well", "there is no way out"),
    }
    for split, said in texts.items():
        for number, text in enumerate(said):
            tone = 0.2 * np.sin(2 * np.pi * (200 + 50 * number) * np.arange(RATE) / RATE)
            audio = root / split / "speech" / f"{split}{number}.wav"
            audio.parent.mkdir(parents=True, exist_ok=True)
            write_audio(audio, tone + 1e-3 * rng.standard_normal(RATE), RATE)
            audio.with_suffix(".txt").write_text(text)
        (root / split / "noise").mkdir()
        write_audio(root / split / "noise" / f"{split}.wav", 0.1 * rng.standard_normal(2 * RATE), RATE)
        asked = ["--speech", root / split / "speech", "--noise", root / split / "noise", "--dev-fraction", "0"]
        assert main(["prepare", "folder", *map(str, asked), "--output", str(root / split / "prepared")]) == 0
    return root


def fit(folder: Path, name: str, *overlays: str, options: tuple[str, ...] = ()) -> Path:
    configs = [word for overlay in ("crn", *overlays) for word in ("--config", str(CONFIGS / f"{overlay}.yaml"))]
    data = ["--data.train", str(folder / "train/prepared"), "--data.dev", str(folder / "dev/prepared")]
    small = ["--model.model.channels=[4, 8]", "--model.model.hidden=16", "--data.batch_seconds=2"]
    steps = ["--trainer.max_steps=4", "--trainer.val_check_interval=4", "--trainer.enable_progress_bar=false"]
    words = ["fit", *configs, *data, *small, *steps, "--trainer.accelerator=cpu", "--output", str(folder / name)]
    assert main([*words, "--keep_every=2", *options]) == 0
    return folder / name


@pytest.fixture(scope="module")
def transfer(folder: Path) -> Path:
    shift = "--model.transfer.alignment.shift.changes=[{step: 4, tokens: 2}]"
    overlays = ("transfer/attention", "transfer/shift1")
    return fit(folder, "transfer", *overlays, options=("--model.transfer.teacher=embedded", shift))


@pytest.fixture(scope="module")
def plain(folder: Path) -> Path:
    return fit(folder, "plain")


def test_every_utterance_has_a_picture_and_a_row(
    transfer: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["maps", str(transfer), "--data", str(folder / "dev/prepared"), "--utterances", "2"]
    assert main([*asked, "--output", str(tmp_path)]) == 0
    pictures = sorted((tmp_path / "transfer").iterdir())
    assert len(pictures) == 2
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)
    printed = capsys.readouterr().out
    assert printed.count("Attention on recurrent") == 2
    assert all(str(path) in printed for path in pictures)


def test_maps_of_every_checkpoint_lie_beside_each_other(transfer: Path, folder: Path, tmp_path: Path) -> None:
    asked = ["maps", str(transfer), "--data", str(folder / "dev/prepared"), "--utterances", "1", "--checkpoints"]
    assert main([*asked, "--output", str(tmp_path)]) == 0
    early, late = (next((tmp_path / "transfer" / f"step-{step}").iterdir()).read_bytes() for step in (2, 4))
    assert early != late


def test_a_schedule_is_where_it_was_at_the_step_of_the_checkpoint(transfer: Path) -> None:
    """From a shift of one token at the start to two after four steps."""
    from cmkt.evaluation.run_bridges import open_bridges

    found = {}
    for kept in kept_checkpoints(transfer):
        (bridge,) = open_bridges(transfer, checkpoint=kept)
        found[kept.step] = bridge.attend(np.ones(RATE, np.float32), "one or two words").weights.sum(axis=1)
    assert found[2] == pytest.approx([0, 0, 1, 1])  # 1.5 is rounded to 2
    assert found[4] == pytest.approx([0, 0, 1, 1])
    (bridge,) = open_bridges(transfer)
    assert isinstance(bridge.alignment, AttentionAlignment)
    assert bridge.alignment.shift.tokens == (2, 2)


def test_a_plain_run_has_no_bridge(
    plain: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["maps", str(plain), "--data", str(folder / "dev/prepared"), "--output", str(tmp_path / "out")]) == 2
    assert "trained plain" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [(["--utterances", "0"], "`--utterances`"), (["--data", "nowhere"], "prepared"), (["--language", "zh"], "'zh'")],
)
def test_bad_input_is_one_line(
    change: list[str], message: str, transfer: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["maps", str(transfer), "--data", str(folder / "dev/prepared"), "--output", str(folder / "out"), *change]
    assert main(asked) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def probing(folder: Path, *runs: Path) -> list[str]:
    data = ["--data", str(folder / "train/prepared"), "--held-out", str(folder / "dev/prepared"), "--steps", "2"]
    return ["probe", *map(str, runs), *data, "--teacher", "embedded"]


def test_a_run_is_probed_at_every_checkpoint_and_the_maps_of_its_bridges_are_drawn(
    plain: Path, folder: Path, tmp_path: Path
) -> None:
    asked = ["--checkpoints", "--maps", "1", "--output", str(tmp_path / "out")]
    assert main([*probing(folder, plain), *asked]) == 0
    scores = json.loads((tmp_path / "out" / "probe.json").read_text())["scores"]
    assert [score["name"] for score in scores] == ["plain, step 2", "plain, step 4"]
    assert scores[0]["true"] != scores[1]["true"]
    assert len(list((tmp_path / "out" / "maps").glob("*/*.png"))) == 2


@pytest.mark.parametrize("options", [["--maps", "0", "--output", "out"], ["--maps", "1"]])
def test_maps_that_cannot_be_drawn_are_refused(
    options: list[str], plain: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*probing(folder, plain), *options]) == 2
    assert "`--maps`" in capsys.readouterr().err


def test_without_matplotlib_maps_are_refused_before_a_bridge_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    asked = [*probing(tmp_path, tmp_path / "none"), "--maps", "1", "--output", str(tmp_path / "out")]
    assert main(asked) != 0
    assert "matplotlib" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_model_without_checkpoints_says_how_to_get_some(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_model(CRN(channels=(4, 8), hidden=16), tmp_path / "model")
    assert main([*probing(folder, tmp_path / "model"), "--checkpoints"]) == 2
    assert "--keep_every" in capsys.readouterr().err


def test_a_checkpoint_gives_the_model_as_it_was(plain: Path, tmp_path: Path) -> None:
    first, last = kept_checkpoints(plain)
    assert (first.step, first.path.name, last.step) == (2, "step-2.ckpt", 4)
    model = load_torch(plain).model
    load_kept(model, first)
    name, weights = next(iter(model.state_dict().items()))
    assert torch.equal(weights, first.state[f"task.model.{name}"])
    with pytest.raises(CheckpointError, match="weights of its run's model"):
        load_kept(torch.nn.Linear(2, 2), first)
    (tmp_path / "half.ckpt").write_bytes(b"half")
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_kept(tmp_path / "half.ckpt")
