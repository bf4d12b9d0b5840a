"""What happens around a training step."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from cmkt.training.advice import without_advice
from cmkt.training.callbacks import Speed, StepSeed, StopOnInterrupt, StopRequested, TrainingProgress
from cmkt.training.checkpoint import read_checkpoint
from cmkt.training.data import MixtureData
from cmkt.training.module import EnhancementModule


class Draws(Callback):
    """A number drawn in each step, after `waste` others."""

    def __init__(self, waste: int = 0) -> None:
        self.waste = waste
        self.drawn: list[float] = []

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        self.drawn.append(float(torch.rand(1)))
        torch.rand(self.waste)


class InterruptAt(Callback):
    """Ctrl-C while a step is in progress, `times` times."""

    def __init__(self, step: int, times: int = 1) -> None:
        self.step = step
        self.times = times

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: Any) -> None:
        if trainer.global_step == self.step:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)


def run(module: EnhancementModule, data: MixtureData, callbacks: list[Callback], steps: int = 5) -> Trainer:
    with without_advice():
        trainer = Trainer(
            accelerator="cpu",
            max_steps=steps,
            max_epochs=-1,
            limit_val_batches=0,
            check_val_every_n_epoch=None,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=any(isinstance(callback, TrainingProgress) for callback in callbacks),
            enable_model_summary=False,
            callbacks=callbacks,
        )
        with next((c for c in callbacks if isinstance(c, StopOnInterrupt)), StopOnInterrupt(Path())).listening():
            trainer.fit(module, datamodule=data)
    return trainer


def test_random_numbers_of_a_step_depend_on_seed_and_step_only(module: EnhancementModule, data: MixtureData) -> None:
    wasteful, other = Draws(waste=17), Draws()
    run(module, data, [StepSeed(1), wasteful])
    torch.manual_seed(1234)
    again = Draws()
    run(module, data, [StepSeed(1), again])
    run(module, data, [StepSeed(2), other])
    assert again.drawn == wasteful.drawn
    assert len(set(again.drawn)) == 5
    assert other.drawn != again.drawn


def test_speed_counts_time_over_all_parts_of_a_run(module: EnhancementModule, data: MixtureData) -> None:
    speed = Speed(every=2)
    trainer = run(module, data, [speed])
    assert speed.seconds > 0
    assert float(trainer.callback_metrics["train/steps_per_second"]) > 0
    later = Speed()
    later.load_state_dict(speed.state_dict())
    assert later.seconds == speed.seconds


def test_ctrl_c_ends_after_the_step_in_progress_with_a_checkpoint(
    module: EnhancementModule, data: MixtureData, tmp_path: Path
) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(StopRequested, match="step 3"):
        run(module, data, [InterruptAt(2), StopOnInterrupt(tmp_path / "last.ckpt")])
    assert read_checkpoint(tmp_path / "last.ckpt")["global_step"] == 3
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_ends_at_once(module: EnhancementModule, data: MixtureData, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(SystemExit):
        run(module, data, [InterruptAt(2, times=2), StopOnInterrupt(tmp_path / "last.ckpt")])
    assert signal.getsignal(signal.SIGINT) is before
    assert not (tmp_path / "last.ckpt").exists()


def test_the_bar_counts_the_steps_of_the_whole_run(
    module: EnhancementModule, data: MixtureData, capsys: pytest.CaptureFixture[str]
) -> None:
    run(module, data, [TrainingProgress()])
    captured = capsys.readouterr()
    assert "5/5" in captured.out + captured.err
