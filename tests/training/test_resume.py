"""Kill a run and resume it: the rest must be what it would have been, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn

from cmkt.losses.mae import MAE
from cmkt.training.advice import without_advice
from cmkt.training.arms import Transfer
from cmkt.training.callbacks import StepSeed
from cmkt.training.checkpoint import AtomicCheckpointIO
from cmkt.training.data import MixtureData
from cmkt.training.module import EnhancementModule
from cmkt.transfer.attention import Attention
from cmkt.transfer.shift import Shift

STEPS = 14
SEED = 3


class KilledError(Exception):
    """The process is gone."""


class Recorder(Callback):
    """What each step was trained on and what came out; dies before step `dies_at`."""

    def __init__(self, dies_at: int | None = None) -> None:
        self.steps: list[tuple[tuple[str, ...], float]] = []
        self.dies_at = dies_at

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        if trainer.global_step == self.dies_at:
            raise KilledError

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.steps.append((batch.ids, float(outputs["loss"])))


def train(
    model: nn.Module,
    transfer: Transfer | None,
    folder: Path,
    root: Path,
    *,
    dies_at: int | None = None,
    resume: bool = False,
    workers: int = 0,
) -> tuple[Recorder, EnhancementModule]:
    """One run, or a part of it."""
    data = MixtureData(str(folder / "train"), str(folder / "dev"), sample_rate=8000, batch_seconds=4.0, workers=workers)
    loss = MAE(window_samples=64, hop_samples=32)
    module = EnhancementModule(model, loss, transfer=transfer, warmup_steps=3, dev_stoi_utterances=0)
    recorder = Recorder(dies_at)
    with without_advice():
        trainer = Trainer(
            accelerator="cpu",
            max_steps=STEPS,
            max_epochs=-1,
            val_check_interval=5,
            check_val_every_n_epoch=None,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=root,
            plugins=[AtomicCheckpointIO()],
            callbacks=[
                StepSeed(SEED),
                recorder,
                ModelCheckpoint(root, "last", every_n_train_steps=2, enable_version_counter=False),
            ],
        )
        checkpoint = str(root / "last.ckpt") if resume else None
        trainer.fit(module, datamodule=data, ckpt_path=checkpoint, weights_only=True if resume else None)
    return recorder, module


@pytest.mark.parametrize(("dies_at", "workers"), [(6, 0), (9, 0), (11, 0), (9, 1)])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(
    toy: type[nn.Module], corpus_folder: Path, tmp_path: Path, dies_at: int, workers: int
) -> None:
    shift = Shift(tokens=1, frames=(-2, 2))
    transfer = Transfer("hidden", teacher=str(corpus_folder / "store"), alignment=Attention(shift, heads=1, width=4))

    def fresh() -> nn.Module:
        torch.manual_seed(0)
        return toy()

    whole, trained = train(fresh(), transfer, corpus_folder, tmp_path / "whole")
    assert len(whole.steps) == STEPS
    with pytest.raises(KilledError):
        train(fresh(), transfer, corpus_folder, tmp_path / "part", dies_at=dies_at, workers=workers)
    torch.manual_seed(99)  # whatever the new process has drawn
    rest, resumed = train(fresh(), transfer, corpus_folder, tmp_path / "part", resume=True, workers=workers)
    assert rest.steps == whole.steps[dies_at // 2 * 2 :]
    for name, value in trained.task.state_dict().items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(value, resumed.task.state_dict()[name]), name
