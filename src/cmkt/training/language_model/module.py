"""The Lightning module and trainer of one language model."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Protocol, final

import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader

from cmkt.errors import ConfigError, NotLearntError
from cmkt.text.language.sequences import Sequences
from cmkt.training.advice import without_advice
from cmkt.training.callbacks import StepSeed, StopOnInterrupt, TrainingProgress
from cmkt.training.checkpoint import AtomicCheckpointIO, check_fits, read_checkpoint
from cmkt.training.language_model.batches import LineBatches, LineDataset, padded
from cmkt.training.schedule import learning_rate_factor
from cmkt.training.stream import BatchStream

CHECKPOINT_EVERY = 200
WARMUP_SHARE = 0.02
LOWEST_SHARE = 0.01
WEIGHT_DECAY = 0.01
BETAS = (0.9, 0.98)
GRADIENT_CLIP = 1.0

log = logging.getLogger(__name__)


class Objective(Protocol):
    """What a model learns."""

    def __call__(self, model: nn.Module, lines: Tensor, *, progress: float) -> Tensor:
        """The loss, a scalar, of lines (B, L); progress: share of the training that is done."""


@final
class LanguageModelModule(LightningModule):
    """Trains `model` by `objective` with AdamW, a linear warm-up and a cosine decay. Logs train/loss in nats."""

    def __init__(self, model: nn.Module, objective: Objective, *, steps: int, learning_rate: float) -> None:
        super().__init__()
        self.model = model
        self._objective = objective
        self._steps = steps
        self._learning_rate = learning_rate

    def training_step(self, batch: Tensor, batch_index: int) -> Tensor:
        """The loss of one batch.

        Raises: NotLearntError where it is no number.
        """
        loss = self._objective(self.model, batch, progress=self.global_step / self._steps)
        if not bool(torch.isfinite(loss)):
            raise NotLearntError(
                f"the loss must stay finite, but is {loss.item()} at step {self.global_step}. Start again in a new "
                "folder with a smaller --learning-rate."
            )
        self.log("train/loss", loss.detach(), prog_bar=True)
        return loss

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW, without decay of norms and of the table of characters, whose rare rows it would shrink."""
        table = {id(each) for each in self.model.get_input_embeddings().parameters()}  # type: ignore[operator]
        parameters = list(self.model.parameters())
        free = [each for each in parameters if each.ndim < 2 or id(each) in table]
        decayed = [each for each in parameters if each.ndim >= 2 and id(each) not in table]
        groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": free, "weight_decay": 0.0}]
        optimizer = AdamW(groups, lr=self._learning_rate, betas=BETAS)

        def factor(step: int) -> float:
            warmup = max(1, int(WARMUP_SHARE * self._steps))
            return learning_rate_factor(step, warmup_steps=warmup, total_steps=self._steps, floor=LOWEST_SHARE)

        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": LambdaLR(optimizer, factor), "interval": "step"}}


def check_accelerator(accelerator: str) -> None:
    """Raises ConfigError unless this machine has one, to be known before hours of work."""
    try:
        with without_advice():
            Trainer(accelerator=accelerator, devices=1, logger=False, enable_checkpointing=False)
    except (MisconfigurationException, ValueError, ImportError) as error:
        raise ConfigError(
            f"`accelerator` must be one of this machine, but is {accelerator!r} instead: {error}"
        ) from error


def train_model(
    model: nn.Module,
    objective: Objective,
    sequences: Sequences,
    folder: Path,
    *,
    epochs: float,
    batch_tokens: int,
    learning_rate: float,
    seed: int,
    accelerator: str = "auto",
    progress: bool = True,
) -> None:
    """Trains `model` in place, on one device, and goes on from `folder`/last.ckpt where that is.

    bfloat16 on GPUs, else float32. Raises: StopRequested after Ctrl-C, with a checkpoint to go on from; NotLearntError
    where the loss is no number; CheckpointError for a checkpoint of another model.
    """
    batches = LineBatches(sequences.lengths, batch_tokens=batch_tokens, seed=seed)
    steps = max(1, round(epochs * len(batches)))
    module = LanguageModelModule(model, objective, steps=steps, learning_rate=learning_rate)
    last = folder / "last.ckpt"
    done = 0
    if last.is_file():
        checkpoint = read_checkpoint(last)
        check_fits(checkpoint["state_dict"], module, last)
        module.load_state_dict(checkpoint["state_dict"])
        done = int(checkpoint["global_step"])
    if done >= steps:
        return
    log.info("Training in %s: %d of %d steps are done.", folder, done, steps)
    stop = StopOnInterrupt(last)
    loader: DataLoader[Tensor] = DataLoader(
        LineDataset(sequences), batch_sampler=BatchStream(batches, first=done), collate_fn=padded
    )
    with without_advice():
        trainer = _trainer(folder, stop, steps=steps, seed=seed, accelerator=accelerator, progress=progress)
        with stop.listening():
            trainer.fit(module, loader, ckpt_path=str(last) if done else None, weights_only=True if done else None)
        trainer.save_checkpoint(last)


def _trainer(
    folder: Path, stop: StopOnInterrupt, *, steps: int, seed: int, accelerator: str, progress: bool
) -> Trainer:
    on_gpu = accelerator != "cpu" and torch.cuda.is_available()
    checkpoint = ModelCheckpoint(
        folder, "last", every_n_train_steps=CHECKPOINT_EVERY, enable_version_counter=False, save_top_k=1
    )
    bars = [TrainingProgress()] if progress else []
    return Trainer(
        accelerator=accelerator,
        devices=1,
        max_steps=steps,
        max_epochs=-1,
        precision="bf16-mixed" if on_gpu else "32-true",
        gradient_clip_val=GRADIENT_CLIP,
        callbacks=[StepSeed(seed), stop, checkpoint, *bars],
        plugins=[AtomicCheckpointIO()],
        logger=CSVLogger(folder, name="logs", version=""),
        enable_progress_bar=progress,
        enable_model_summary=False,
        log_every_n_steps=20,
        use_distributed_sampler=False,
    )
