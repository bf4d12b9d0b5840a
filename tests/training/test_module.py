"""The Lightning module."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import nn

from cmkt.data.batch import Batch
from cmkt.errors import ConfigError, NotLearntError, StoreError
from cmkt.losses.loudness import LoudnessDisturbance
from cmkt.losses.mae import MAE
from cmkt.losses.weighted_sum import WeightedSum
from cmkt.training.advice import without_advice
from cmkt.training.arms import Transfer
from cmkt.training.data import MixtureData
from cmkt.training.module import EnhancementModule
from cmkt.transfer.attention import Attention


def transfer_module(toy: type[nn.Module], folder: Path, **changes: Any) -> EnhancementModule:
    torch.manual_seed(0)
    alignment = Attention(heads=1, width=4)
    transfer = Transfer("hidden", teacher=str(folder / "store"), alignment=alignment, log_gradient_norms_every=1)
    return EnhancementModule(toy(), MAE(window_samples=64, hop_samples=32), transfer=transfer, **changes)


def fit(module: EnhancementModule, data: MixtureData, steps: int = 3, **changes: Any) -> Trainer:
    known: dict[str, Any] = {
        "max_steps": steps,
        "max_epochs": -1,
        "val_check_interval": steps,
        "check_val_every_n_epoch": None,
        "num_sanity_val_steps": 0,
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    with without_advice():
        trainer = Trainer(accelerator="cpu", **(known | changes))
        trainer.fit(module, datamodule=data)
    return trainer


def first_batch(data: MixtureData) -> Batch:
    return next(islice(data.train_dataloader(), 1))  # type: ignore[no-any-return]


def test_the_plain_arm_logs_its_loss_and_dev_scores(module: EnhancementModule, data: MixtureData) -> None:
    logged = fit(module, data).callback_metrics
    assert {"train/enhancement", "train/total", "dev/enhancement", "dev/si_sdr_improvement"} <= logged.keys()
    assert not {name for name in logged if "transfer" in name or "mismatch" in name or "bridge" in name}


def test_the_transfer_arm_logs_both_raw_terms_and_the_weight_of_each(
    toy: type[nn.Module], corpus_folder: Path, data: MixtureData
) -> None:
    module = transfer_module(toy, corpus_folder)
    logged = {name: float(value) for name, value in fit(module, data, 1).callback_metrics.items()}
    assert logged["train/total"] == pytest.approx(
        0.7 * logged["train/enhancement"] + 0.3 * logged["train/transfer"], rel=1e-5
    )
    for name in ("gradient_enhancement_at_layer", "gradient_transfer_at_layer", "gradient_norm_bridge"):
        assert logged[f"train/{name}"] > 0
    assert {"dev/transfer", "dev/mismatch_gap"} <= logged.keys()


class Spy(Callback):
    """Gradients as the optimizer sees them."""

    def __init__(self) -> None:
        self.model = self.bridge = 0.0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        task: Any = pl_module.task
        self.model, self.bridge = (
            float(torch.stack([p.grad.norm() for p in part.parameters() if p.grad is not None]).norm())
            for part in (task.model, task.branches)
        )


def test_model_and_bridge_are_clipped_apart(toy: type[nn.Module], corpus_folder: Path, data: MixtureData) -> None:
    spy = Spy()
    module = transfer_module(toy, corpus_folder, gradient_clip_model=1e-3, gradient_clip_bridge=2e-3)
    fit(module, data, 1, callbacks=[spy])
    assert [spy.model, spy.bridge] == pytest.approx([1e-3, 2e-3], rel=1e-3)


def test_gradients_under_the_limit_are_left_alone(toy: type[nn.Module], corpus_folder: Path, data: MixtureData) -> None:
    spies = [Spy(), Spy()]
    for spy, limit in zip(spies, (1e-3, 1e6), strict=True):
        module = transfer_module(toy, corpus_folder, gradient_clip_model=1e6, gradient_clip_bridge=limit)
        fit(module, data, 1, callbacks=[spy])
    assert spies[0].model == spies[1].model
    assert spies[0].bridge < spies[1].bridge


def dev_loss(module: EnhancementModule, data: MixtureData) -> float:
    module.eval()
    with torch.no_grad():
        losses = [
            module.task(batch.noisy, clean=batch.clean, lengths=batch.lengths, texts=batch.texts).total
            for batch in data.val_dataloader()
        ]
    module.train()
    return float(torch.stack(losses).mean())


def test_training_lowers_the_loss_on_dev(module: EnhancementModule, data: MixtureData) -> None:
    module.learning_rate = 0.01
    before = dev_loss(module, data)
    fit(module, data, 40, val_check_interval=40)
    assert dev_loss(module, data) < 0.98 * before


def test_audio_that_is_not_finite_is_named(module: EnhancementModule, data: MixtureData) -> None:
    batch = first_batch(data)
    noisy = batch.noisy.clone()
    noisy[1, 5] = float("nan")
    with pytest.raises(NotLearntError) as error:
        module.training_step(replace(batch, noisy=noisy), 0)
    assert batch.ids[1] in str(error.value)
    assert batch.ids[0] not in str(error.value)


def test_a_loss_that_is_not_finite_names_the_batch(module: EnhancementModule, data: MixtureData) -> None:
    batch = first_batch(data)
    with torch.no_grad():
        next(iter(module.enhancer.parameters())).fill_(float("inf"))
    with pytest.raises(NotLearntError, match=f"nan.*{', '.join(batch.ids)}.*learning_rate"):
        module.training_step(batch, 0)


def test_clipping_by_the_trainer_is_refused(module: EnhancementModule, data: MixtureData) -> None:
    with pytest.raises(ConfigError, match="gradient_clip_model"):
        fit(module, data, gradient_clip_val=1.0)


def test_a_run_without_an_end_is_refused(module: EnhancementModule, data: MixtureData) -> None:
    with pytest.raises(ConfigError, match="max_steps"):
        fit(module, data, max_steps=-1, max_epochs=2, val_check_interval=1)


def test_a_model_of_another_sample_rate_is_refused(module: EnhancementModule, corpus_folder: Path) -> None:
    data = MixtureData(str(corpus_folder / "train"), str(corpus_folder / "dev"), sample_rate=16_000)
    with pytest.raises(ConfigError, match="8000 Hz, but is 16000 Hz"):
        fit(module, data)


def test_a_store_that_lacks_transcripts_is_refused_before_training(
    toy: type[nn.Module], corpus_folder: Path, other_prepared: Path
) -> None:
    data = MixtureData(str(other_prepared), str(corpus_folder / "dev"), sample_rate=8000)
    with pytest.raises(StoreError, match="cmkt embed"):
        fit(transfer_module(toy, corpus_folder), data)


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": 0.0},
        {"learning_rate_floor": 2.0},
        {"warmup_steps": -1},
        {"gradient_clip_model": 0.0},
        {"gradient_clip_bridge": -1.0},
    ],
)
def test_numbers_that_cannot_be_are_refused(toy: type[nn.Module], change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(change))):
        EnhancementModule(toy(), MAE(), **change)


def test_a_loss_that_hears_at_another_rate_is_refused(toy: type[nn.Module], data: MixtureData) -> None:
    loss = WeightedSum([MAE(window_samples=64, hop_samples=32), LoudnessDisturbance(sample_rate=16_000)], [1.0, 0.1])
    with pytest.raises(ConfigError, match="LoudnessDisturbance must be the model's, 8000 Hz"):
        EnhancementModule(toy(), loss).check_data(data)
    EnhancementModule(toy(), LoudnessDisturbance(sample_rate=8_000)).check_data(data)
