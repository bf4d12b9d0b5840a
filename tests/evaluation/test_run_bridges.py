"""A real transfer run of two steps, trained by `cmkt fit` itself, so that the names in its checkpoint are true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from cmkt.cli.main import main
from cmkt.errors import CheckpointError, CmktError, DataError
from cmkt.evaluation.attention_map import effective_frames, order
from cmkt.evaluation.report.attention import attention_maps
from cmkt.evaluation.report.sound import Audio
from cmkt.evaluation.report.sources import Run
from cmkt.evaluation.report.spoken import Spoken
from cmkt.evaluation.run_bridges import open_bridges
from tests.evaluation.conftest import RATE, voice

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
TEXT = "the long words are spoken"


def fit(output: Path, prepared: Path, dev: Path, *overlays: str, options: tuple[str, ...] = ()) -> Path:
    configs = [word for name in ("crn", *overlays) for word in ("--config", str(CONFIGS / f"{name}.yaml"))]
    small = ["--model.model.channels=[4, 8]", "--model.model.hidden=16", "--data.batch_seconds=4"]
    steps = ["--trainer.max_steps=2", "--trainer.val_check_interval=1", "--trainer.enable_progress_bar=false"]
    data = ["--data.train", str(prepared), "--data.dev", str(dev), "--trainer.accelerator=cpu"]
    assert main(["fit", *configs, *small, *steps, *data, "--output", str(output), *options]) == 0
    return output


@pytest.fixture(scope="module")
def dev(prepared: Path) -> Path:
    """The same folder under another name, as training on dev is refused."""
    other = prepared.with_name("dev")
    other.mkdir(exist_ok=True)
    for path in prepared.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    return other


@pytest.fixture(scope="module")
def transfer(tmp_path_factory: pytest.TempPathFactory, prepared: Path, dev: Path) -> Path:
    """A run with the embedded language model."""
    output = tmp_path_factory.mktemp("bridges") / "transfer"
    return fit(output, prepared, dev, "transfer/attention", options=("--model.transfer.teacher=embedded",))


@pytest.fixture(scope="module")
def spoken() -> Spoken:
    return Spoken("long at 5 dB", TEXT, Audio(voice(1.5, np.random.default_rng(0)), RATE))


def test_a_transfer_run_gives_a_map_of_its_own_tokens(transfer: Path, spoken: Spoken) -> None:
    (bridge,) = open_bridges(transfer)
    assert (bridge.layer, bridge.alignment_name) == ("recurrent", "Attention")
    found = bridge.attend(spoken.noisy.samples, TEXT)
    assert found.tokens == ("the", "long", "words", "are", "spoken")
    assert found.weights.sum(axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    state = torch.load(transfer / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    assert torch.equal(
        bridge.alignment.state_dict()["bridge.keys.weight"], state["task.branches.0.alignment.bridge.keys.weight"]
    )


def test_the_map_becomes_a_picture_with_tokens_beside_it_and_the_spectrogram_below(
    transfer: Path, spoken: Spoken
) -> None:
    (maps,) = attention_maps([Run("transfer", transfer)], [spoken])
    assert maps.reason == ""
    (layer,) = maps.layers
    assert "Attention on layer recurrent" in layer.about
    (figure,) = layer.figures
    assert figure.svg.count("<image") == 2
    assert all(f">{token}</text>" in figure.svg for token in TEXT.split())
    assert 0 < figure.width_seconds < 1.6


def test_audio_of_another_rate_is_resampled_first(transfer: Path, spoken: Spoken) -> None:
    faster = Spoken(spoken.title, TEXT, Audio(np.repeat(spoken.noisy.samples, 2), 2 * RATE))
    (maps,) = attention_maps([Run("transfer", transfer)], [faster])
    assert maps.reason == ""


def test_several_layers_have_a_map_each(tmp_path: Path, prepared: Path, dev: Path, spoken: Spoken) -> None:
    layers = yaml.safe_load((CONFIGS / "transfer" / "hierarchical.yaml").read_text(encoding="utf-8"))
    layers["model"]["transfer"]["layer"][0]["layer"] = "encoder.1"
    layers["model"]["transfer"]["teacher"] = "embedded"
    (tmp_path / "two.yaml").write_text(yaml.safe_dump(layers))
    run = fit(tmp_path / "run", prepared, dev, options=("--config", str(tmp_path / "two.yaml")))
    (maps,) = attention_maps([Run("run", run)], [spoken])
    assert [layer.about.partition(",")[0] for layer in maps.layers] == [
        "Attention on layer encoder.1",
        "Attention on layer recurrent",
    ]


def test_a_run_without_a_bridge_says_why(tmp_path: Path, transfer: Path, spoken: Spoken) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "config.yaml").write_text("model:\n  transfer: null\n")
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "config.yaml").write_text("model:\n  transfer:\n    layer: recurrent\n    teacher: {class_path: mine}\n")
    reasons = {maps.run: maps.reason for maps in attention_maps([Run("plain", plain), Run("own", empty)], [spoken])}
    assert reasons["plain"] == "It was trained plain, so there is no bridge."
    assert "an object of its own" in reasons["own"]
    with pytest.raises(DataError, match="cannot be read"):
        open_bridges(tmp_path / "none")
    (maps,) = attention_maps([Run("transfer", transfer)], [])
    assert maps.reason.startswith("No mixture with a transcript")


def test_a_run_whose_checkpoint_is_gone_or_damaged_says_so(tmp_path: Path, transfer: Path) -> None:
    (tmp_path / "config.yaml").write_bytes((transfer / "config.yaml").read_bytes())
    with pytest.raises(DataError, match="no checkpoint"):
        open_bridges(tmp_path)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "last.ckpt").write_bytes(b"half")
    with pytest.raises(CheckpointError, match="cannot be read"):
        open_bridges(tmp_path)
    (tmp_path / "checkpoints" / "last.ckpt").write_bytes((transfer / "checkpoints" / "last.ckpt").read_bytes())
    with pytest.raises(CmktError, match=r"model\.json"):  # there is no enhancer beside it
        open_bridges(tmp_path)


def test_an_alignment_from_outside_is_not_imported(transfer: Path, tmp_path: Path) -> None:
    for part in ("checkpoints", "enhancer"):
        (tmp_path / part).symlink_to(transfer / part)
    config = yaml.safe_load((transfer / "config.yaml").read_text())
    config["model"]["transfer"]["alignment"] = {"class_path": "os.system", "init_args": {}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    (maps,) = attention_maps([Run("run", tmp_path)], [])
    assert "must be of this package" in maps.reason


def test_the_width_of_a_map_counts_equal_frames_and_order_is_that_of_mean_times() -> None:
    assert effective_frames(np.eye(3)) == 1.0
    assert effective_frames(np.full((2, 8), 0.125)) == 8.0
    assert effective_frames(np.zeros((2, 8))) == 0.0
    assert order(np.eye(5)) == 1.0
    assert order(np.eye(5)[::-1]) == -1.0
    assert order(np.eye(2)) == 0.0
