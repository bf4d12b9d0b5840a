"""`cmkt fit`, from its configuration to the saved enhancer."""

from __future__ import annotations

import csv
import errno
import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from cmkt.audio.write import write_audio
from cmkt.cli.main import main
from cmkt.data.entry import Entry
from cmkt.data.manifest import load_prepared, make_cut, write_prepared
from cmkt.data.report import Report
from cmkt.data.validation import Checked, check_recording
from cmkt.evaluation.training_cost import read_cost
from cmkt.inference.load import load_torch
from cmkt.inference.save import save_model
from cmkt.models.crn import CRN
from cmkt.testing.tiny_models import save_tiny_bert
from cmkt.text.store_writer import StoreWriter
from cmkt.training.checkpoint import read_checkpoint
from cmkt.training.module import EnhancementModule
from cmkt.training.run_directory import RunDirectory

RATE = 8000
CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def cut(folder: Path, name: str, samples: Any, *, text: str | None = None, noise: bool = False) -> Any:
    """One file of the corpus and its cut."""
    path = folder / f"{name}.wav"
    write_audio(path, samples.astype(np.float32), RATE)
    checked = check_recording(path)
    assert isinstance(checked, Checked)
    return make_cut(Entry(name, path, custom={"class": "hiss"} if noise else {}), checked, text=text)


@pytest.fixture(scope="module")
def corpus_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tones and noise, with transcripts and their store."""
    root = tmp_path_factory.mktemp("fit")
    rng = np.random.default_rng(0)
    time = np.arange(RATE) / RATE
    for split, count in (("train", 8), ("dev", 2)):
        tones = [0.2 * np.sin(2 * np.pi * f * time) * (1 + np.sin(25 * time)) for f in rng.uniform(150, 400, count)]
        speech = [cut(root, f"{split}{i}", tone, text=f"words {split} {i}") for i, tone in enumerate(tones)]
        noise = cut(root, f"{split}-noise", 0.1 * rng.standard_normal(2 * RATE), noise=True)
        write_prepared(root / split, speech=speech, noise=[noise], rir=[], report=Report())
    with StoreWriter(root / "store", identity="toy", width=4) as store:
        for split, count in (("train", 8), ("dev", 2)):
            for i in range(count):
                store.put(f"words {split} {i}", torch.ones(2, 4) * (i + 1))
    return root


@pytest.fixture
def arguments(corpus_folder: Path, tmp_path: Path) -> list[str]:
    """The recommended configuration, made small."""
    return [
        "fit",
        *("--config", str(CONFIGS / "crn.yaml")),
        *("--output", str(tmp_path / "run")),
        *("--trainer.accelerator", "cpu", "--trainer.max_steps", "4", "--trainer.val_check_interval", "2"),
        *("--trainer.log_every_n_steps", "1", "--checkpoint_every", "2"),
        *("--data.train", str(corpus_folder / "train"), "--data.dev", str(corpus_folder / "dev")),
        *("--data.sample_rate", str(RATE), "--data.batch_seconds", "3", "--model.warmup_steps", "1"),
        "--model.model.sample_rate=8000",
        "--model.model.window_samples=64",
        "--model.model.hop_samples=32",
        "--model.model.channels=[4, 4]",
        "--model.model.hidden=8",
    ]


def with_transfer(arguments: list[str], folder: Path, *overlays: str) -> list[str]:
    """The same, with overlays after the first configuration."""
    configs = [word for overlay in overlays for word in ("--config", str(CONFIGS / "transfer" / f"{overlay}.yaml"))]
    return [*arguments[:3], *configs, *arguments[3:], f"--model.transfer.teacher={folder / 'store'}"]


def weights(run: RunDirectory) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(run.last, weights_only=True)["state_dict"]
    return {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}


def rows(run: RunDirectory) -> list[dict[str, str]]:
    with run.metrics.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_plain_run_leaves_everything_where_it_is_looked_for(arguments: list[str], tmp_path: Path) -> None:
    assert main(arguments) == 0
    run = RunDirectory(tmp_path / "run")
    assert {path.name for path in run.checkpoints.iterdir()} == {"best.ckpt", "last.ckpt"}
    assert run.config.is_file()
    assert any((run.logs / "tensorboard").iterdir())
    assert [row["step"] for row in rows(run) if row["train/enhancement"]] == ["0", "1", "2", "3"]
    assert sum(bool(row["dev/si_sdr_improvement"]) for row in rows(run)) == 2
    training = json.loads((run.enhancer / "model.json").read_text())["training"]
    assert (training["arm"], training["max_steps"], training["seed"]) == ("plain", 4, 1)
    assert training["torch"] == torch.__version__
    cost = read_cost(run.root)
    assert cost is not None
    assert (cost.steps, cost.processes, cost.peak_device_bytes) == (4, 1, None)
    assert cost.training_seconds == pytest.approx(training["training_seconds"], abs=0.1)
    assert cost.peak_memory_bytes is None or cost.peak_memory_bytes > 10e6


def test_the_saved_enhancer_is_the_trained_model_and_enhances(arguments: list[str], tmp_path: Path) -> None:
    assert main(arguments) == 0
    enhancer = load_torch(tmp_path / "run")
    noisy = np.random.default_rng(0).standard_normal(4000).astype(np.float32) * 0.1
    assert enhancer.enhance(noisy, sample_rate=RATE).shape == (4000,)
    best = torch.load(RunDirectory(tmp_path / "run").best, weights_only=True)["state_dict"]
    saved = enhancer.model.state_dict()
    assert all(torch.equal(value, best[f"task.model.{name}"]) for name, value in saved.items())


def test_overlays_add_transfer_and_a_shift(arguments: list[str], corpus_folder: Path, tmp_path: Path) -> None:
    assert main(with_transfer(arguments, corpus_folder, "attention", "shift1")) == 0
    config = (tmp_path / "run" / "config.yaml").read_text()
    assert "tokens: 1" in config
    assert json.loads((tmp_path / "run" / "enhancer" / "model.json").read_text())["training"]["arm"] == "transfer"
    assert any(row["dev/transfer"] for row in rows(RunDirectory(tmp_path / "run")))


def test_the_language_of_the_transcripts_chooses_the_embedded_teacher(
    arguments: list[str], corpus_folder: Path, mandarin_package: Path, tmp_path: Path
) -> None:
    for split in ("train", "dev"):
        prepared = load_prepared(corpus_folder / split)
        speech = list(prepared.speech)
        for each in speech:
            each.supervisions[0].text = "今天天气很好"
        write_prepared(tmp_path / split, speech=speech, noise=list(prepared.noise or ()), rir=[], report=Report())
    transfer = ["--config", str(CONFIGS / "transfer" / "attention.yaml"), "--model.transfer.teacher", "embedded"]
    data = ["--data.train", str(tmp_path / "train"), "--data.dev", str(tmp_path / "dev")]
    assert main([*arguments, *transfer, *data]) == 0
    saved = yaml.safe_load(RunDirectory(tmp_path / "run").config.read_text())
    assert saved["model"]["transfer"]["teacher"] == "embedded-zh"


def test_the_saved_config_makes_the_same_run_again(arguments: list[str], corpus_folder: Path, tmp_path: Path) -> None:
    assert main(with_transfer(arguments, corpus_folder, "attention")) == 0
    config = str(tmp_path / "run" / "config.yaml")
    assert main(["fit", "--config", config, "--output", str(tmp_path / "again")]) == 0
    first, second = (weights(RunDirectory(tmp_path / name)) for name in ("run", "again"))
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_ctrl_c_keeps_what_was_trained_and_the_rest_is_as_if_it_had_not_happened(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert main(arguments) == 0
    step = EnhancementModule.training_step

    def interrupted(self: EnhancementModule, batch: Any, batch_index: int) -> Any:
        if self.global_step == 2:
            signal.raise_signal(signal.SIGINT)
        return step(self, batch, batch_index)

    run = RunDirectory(tmp_path / "part")
    part = [*arguments, "--output", str(run.root)]
    caplog.set_level("INFO")
    with monkeypatch.context() as patch:
        patch.setattr(EnhancementModule, "training_step", interrupted)
        assert main(part) == 130
    assert f"--ckpt_path {run.last}" in caplog.text
    assert json.loads((run.enhancer / "model.json").read_text())["training"]["step"] == 3
    stopped = read_cost(run.root)
    config = run.config.read_text()
    assert main([*part, "--ckpt_path", "last"]) == 0
    assert run.config.read_text() == config
    resumed = read_cost(run.root)
    assert stopped is not None
    assert resumed is not None
    assert (stopped.steps, resumed.steps) == (3, 4)
    assert resumed.training_seconds > stopped.training_seconds
    whole = RunDirectory(tmp_path / "run")
    assert all(torch.equal(value, weights(run)[name]) for name, value in weights(whole).items())
    losses = [[row["train/total"] for row in rows(one) if row["train/total"]] for one in (whole, run)]
    assert losses[0] == losses[1]


def test_mixed_precision_trains_both_terms(arguments: list[str], corpus_folder: Path, tmp_path: Path) -> None:
    transfer = with_transfer(arguments, corpus_folder, "attention")
    assert main([*transfer, "--trainer.precision", "bf16-mixed"]) == 0
    assert all(
        np.isfinite(float(row["train/total"])) for row in rows(RunDirectory(tmp_path / "run")) if row["train/total"]
    )


def test_a_full_disk_ends_the_run_with_the_checkpoint_before_it(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save = torch.save

    def full(checkpoint: Any, path: Path, *_: Any) -> None:
        if checkpoint["global_step"] > 2:
            Path(path).write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        save(checkpoint, path)

    monkeypatch.setattr(torch, "save", full)
    assert "No space left on device" in refused(arguments, capsys)
    run = RunDirectory(tmp_path / "run")
    assert read_checkpoint(run.last)["global_step"] == 2
    assert not [path for path in run.checkpoints.iterdir() if "part" in path.name]


def test_early_stopping_is_an_overlay(arguments: list[str], tmp_path: Path) -> None:
    overlay = ["--config", str(CONFIGS / "early_stopping.yaml")]
    assert main([*arguments[:3], *overlay, *arguments[3:]]) == 0
    assert "EarlyStopping" in (tmp_path / "run" / "config.yaml").read_text()


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The error line of a run that is refused."""
    assert main(arguments) == 2
    return capsys.readouterr().err


def test_a_folder_that_holds_a_run_is_not_overwritten(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    assert "holds a run" in refused(arguments, capsys)


def test_a_checkpoint_of_another_model_is_refused_by_name_and_nothing_is_changed(
    arguments: list[str], corpus_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    config = (tmp_path / "run" / "config.yaml").read_text()
    error = refused([*arguments, "--model.model.hidden", "12", "--ckpt_path", "last"], capsys)
    assert "task.model.expand.weight is (" in error
    transfer = with_transfer(arguments, corpus_folder, "attention")
    assert "lacks: task._extra_state, task.branches" in refused([*transfer, "--ckpt_path", "last"], capsys)
    assert (tmp_path / "run" / "config.yaml").read_text() == config


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["--data.train", "nowhere"], "cmkt prepare"),
        (["--ckpt_path", "nowhere.ckpt"], "must be a checkpoint file"),
        (["--data.sample_rate", "16000"], "8000 Hz, but is 16000 Hz"),
        (["--threads", "0"], "--threads"),
        (["--output", __file__], "must be a folder"),
        (["--trainer.accelerator", "abacus"], "`trainer` must be"),
        (["--model.loss", "cmkt.models.crn.CRN"], "`loss` must be called as"),
        (["--ckpt_path", __file__], "must be a checkpoint that `cmkt fit` wrote"),
        (["--data.dev", "nowhere/dev"], "nowhere/dev must be a prepared folder"),
        (["--checkpoint_every", "0"], "--checkpoint_every"),
        (["--keep_every", "0"], "--keep_every"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: list[str], words: str
) -> None:
    assert words in refused([*arguments, *changes], capsys)
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_a_layer_that_does_not_exist_is_refused_with_near_names(
    arguments: list[str], corpus_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    transfer = with_transfer(arguments, corpus_folder, "attention")
    assert "recurrent" in refused([*transfer, "--model.transfer.layer", "recurent"], capsys)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("cmkt.models.crn.CNR", "module 'cmkt.models.crn' has no attribute 'CNR'"),
        ("cmkt.model.crn.CRN", "No module named 'cmkt.model'"),
    ],
)
def test_a_class_path_with_a_slip_is_a_usage_error_that_names_it(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str, words: str
) -> None:
    with pytest.raises(SystemExit) as error:
        main([*arguments, "--model.model", path])
    assert error.value.code == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_config_that_is_no_text_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_audio(tmp_path / "a.wav", np.full(100, -0.5, dtype=np.float32), RATE)
    assert "must be a YAML file" in refused(["fit", "--config", str(tmp_path / "a.wav")], capsys)


def test_a_run_that_was_refused_does_not_stand_in_the_way_of_the_next(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "max_steps" in refused([*arguments, "--trainer.max_steps", "-1"], capsys)
    assert main([*arguments, "--trainer.max_steps", "2"]) == 0


def test_the_store_of_another_corpus_is_refused_with_the_command_that_fills_it(
    arguments: list[str], corpus_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with StoreWriter(tmp_path / "other", identity="other", width=4) as store:
        store.put("never said", torch.ones(2, 4))
    transfer = with_transfer(arguments, corpus_folder, "attention")
    error = refused([*transfer, f"--model.transfer.teacher={tmp_path / 'other'}"], capsys)
    assert "lacks 10 of 10" in error
    assert "cmkt embed --data" in error


def test_a_setting_that_does_not_exist_is_a_usage_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as error:
        main([*arguments, "--model.learning_speed", "1"])
    assert error.value.code == 2
    assert "learning_speed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "configs",
    [
        ["crn"],
        ["crn", "transfer/attention"],
        ["crn", "transfer/attention", "transfer/shift1"],
        ["crn", "transfer/attention", "transfer/positional"],
        ["crn", "transfer/attention", "transfer/shift_schedule"],
        ["crn", "transfer/attention", "transfer/sinkhorn"],
        ["crn", "transfer/attention", "transfer/shift1", "transfer/shuffled"],
        ["crn", "transfer/attention", "transfer/sinkhorn", "transfer/random"],
        ["crn", "transfer/attention", "transfer/ctc"],
        ["crn", "transfer/hierarchical"],
        ["crn", "transfer/hierarchical", "transfer/shuffled"],
        ["blstm", "transfer/paper"],
        ["tf_conformer"],
        ["demucs"],
        ["demucs", "paper_sized/demucs"],
        ["mp_senet", "paper_sized/mp_senet"],
        ["se_mamba", "paper_sized/se_mamba"],
        ["crn", "paper_sized/dpcrn"],
    ],
)
def test_every_combination_of_configs_that_is_documented_parses(
    configs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word for name in configs for word in ("--config", str(CONFIGS / f"{name}.yaml"))]
    with pytest.raises(SystemExit) as error:
        main(["fit", *words, "--print_config"])
    assert error.value.code == 0
    assert "class_path: cmkt.models." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("overlay", "changes"),
    [
        ("positional", []),
        ("sinkhorn", ["--model.transfer.alignment.shift.tokens=[0, 1]"]),
        ("shift_schedule", []),
        ("shuffled", []),
        ("random", ["bert"]),
        ("ctc", ["--model.transfer.teacher=characters"]),
    ],
)
def test_every_alignment_and_control_trains_from_its_overlay(
    overlay: str, changes: list[str], arguments: list[str], corpus_folder: Path, tmp_path: Path
) -> None:
    asked = with_transfer(arguments, corpus_folder, "attention", overlay)
    if changes == ["bert"]:
        changes = [f"--model.transfer.teacher={save_tiny_bert(tmp_path / 'bert')}"]
    assert main([*asked, *changes]) == 0
    transfer = [row["train/transfer"] for row in rows(RunDirectory(tmp_path / "run")) if row["train/transfer"]]
    assert len(transfer) == 4
    assert all(float(value) > 0 for value in transfer)


def test_two_layers_train_from_a_configuration(arguments: list[str], corpus_folder: Path, tmp_path: Path) -> None:
    layers = yaml.safe_load((CONFIGS / "transfer" / "hierarchical.yaml").read_text(encoding="utf-8"))
    layers["model"]["transfer"]["layer"][0]["layer"] = "encoder.1"  # the last of the small model
    (tmp_path / "two.yaml").write_text(yaml.safe_dump(layers))
    assert main(with_transfer(arguments, corpus_folder, str(tmp_path / "two"))) == 0
    run = RunDirectory(tmp_path / "run")
    assert {name.split(".")[2] for name in weights(run) if name.startswith("task.branches")} == {"0", "1"}
    assert all(float(row["train/transfer"]) > 0 for row in rows(run) if row["train/transfer"])


def outsider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, rate: str = "sample_rate = 8000") -> list[str]:
    """Options that train a class of a module that is no part of the package."""
    (tmp_path / f"{name}.py").write_text(
        "from torch import nn\n"
        "class Scaler(nn.Module):\n"
        f"    {rate}\n"
        "    def __init__(self, taps=5):\n"
        "        super().__init__()\n"
        "        self.inner = nn.Conv1d(1, 1, taps, padding='same')\n"
        "    def forward(self, noisy):\n"
        "        return self.inner(noisy[:, None])[:, 0]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return ["--model.model", f"{name}.Scaler", "--model.model.taps=3"]


def test_a_class_from_outside_trains_and_the_end_says_how_to_use_it(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = [word for word in arguments if not word.startswith("--model.model")]
    with caplog.at_level("INFO", "cmkt"):
        assert main([*asked, *outsider(tmp_path, monkeypatch, "scaling_for_fit")]) == 0
    assert "--allow-foreign" in caplog.text
    assert load_torch(tmp_path / "run", allow_foreign=True).model.state_dict()["inner.weight"].shape == (1, 1, 3)


def test_a_class_without_a_rate_is_refused_before_it_is_trained(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [word for word in arguments if not word.startswith("--model.model")]
    assert main([*asked, *outsider(tmp_path, monkeypatch, "rateless_for_fit", "pass")]) == 2
    assert "`sample_rate`" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_model_that_could_not_be_saved_is_refused_before_it_is_trained(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    strange = (
        "sample_rate = 8000\n    def get_extra_state(self): return 'text'\n    def set_extra_state(self, state): pass"
    )
    asked = [word for word in arguments if not word.startswith("--model.model")]
    assert main([*asked, *outsider(tmp_path, monkeypatch, "stateful_for_fit", strange)]) == 2
    assert "_extra_state" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_help_does_not_list_every_module_of_torch(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["fit", "--help"])
    printed = capsys.readouterr().out
    assert "torchmetrics" not in printed
    assert "learning_rate_floor: share of it that is left" in " ".join(printed.split())
    assert "--model.model MODEL" in printed


def test_a_resumed_run_says_where_it_goes_on(
    arguments: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert main(arguments) == 0
    with caplog.at_level("INFO", "cmkt"):
        assert main([*arguments, "--ckpt_path", "last", "--trainer.max_steps", "6"]) == 0
    assert f"Going on from step 4, of {tmp_path / 'run' / 'checkpoints' / 'last.ckpt'}." in caplog.text


def test_a_run_starts_from_the_weights_of_another(
    arguments: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert main(arguments) == 0
    first = load_torch(tmp_path / "run").model.state_dict()
    arguments[arguments.index("--output") + 1] = str(tmp_path / "tuned")
    frozen = [*arguments, "--init", str(tmp_path / "run"), "--model.learning_rate", "1e-9"]
    assert main([*frozen, "--model.freeze", '["encoder", "decoder"]']) == 0
    tuned = load_torch(tmp_path / "tuned").model.state_dict()
    torch.testing.assert_close(tuned, first, atol=1e-6, rtol=0)
    assert "Starting from the weights" in caplog.text


def test_a_resumed_run_does_not_need_where_it_started_from(
    arguments: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    start = tmp_path / "start"
    save_model(CRN(RATE, window_samples=64, hop_samples=32, channels=(4, 4), hidden=8), start, sample_rate=RATE)
    assert main([*arguments, "--init", str(start)]) == 0
    start.rename(tmp_path / "elsewhere")
    caplog.clear()
    config = ["fit", "--config", str(tmp_path / "run" / "config.yaml"), "--trainer.max_steps", "6"]
    assert main([*config, "--ckpt_path", "last"]) == 0
    assert "Starting from" not in caplog.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--model.model.hidden=9"], "hidden"),
        (["--model.model", "cmkt.models.blstm.BLSTM", "--model.model.sample_rate=8000"], "must be of the class"),
    ],
)
def test_weights_of_another_model_are_refused(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], change: list[str], message: str
) -> None:
    save_model(
        CRN(RATE, window_samples=64, hop_samples=32, channels=(4, 4), hidden=8), tmp_path / "other", sample_rate=RATE
    )
    kept = [word for word in arguments if not (change[0] == "--model.model" and word.startswith("--model.model."))]
    assert main([*kept, *change, "--init", str(tmp_path / "other")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_resuming_with_another_number_of_steps_is_warned_of(
    arguments: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert main(arguments) == 0
    arguments[arguments.index("--trainer.max_steps") + 1] = "6"
    assert main([*arguments, "--ckpt_path", "last"]) == 0
    assert "was 4 and is 6" in caplog.text
