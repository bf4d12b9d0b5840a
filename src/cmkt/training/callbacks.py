"""What happens around a training step: its random numbers, its speed, and Ctrl-C."""

from __future__ import annotations

import hashlib
import logging
import time
from contextlib import AbstractContextManager
from pathlib import Path
from types import FrameType
from typing import Any, final

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import TQDMProgressBar

from cmkt.inference.interrupts import interrupts_to

log = logging.getLogger(__name__)


def batches_done(trainer: Trainer) -> int:
    """Batches handed to the training step since the start of the run, resumed or not, this one included."""
    return int(trainer.fit_loop.epoch_loop.batch_progress.total.ready)


@final
class StepSeed(Callback):
    """Seeds torch before every batch by (seed, rank, batch number).

    So dropout draws the same in a resumed run as in an uninterrupted one, and in both arms of a comparison, whatever
    else has drawn in between.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Seeds all devices."""
        key = f"{self.seed},{trainer.global_rank},{batches_done(trainer)}".encode()
        torch.manual_seed(int.from_bytes(hashlib.blake2b(key, digest_size=7).digest(), "little"))


@final
class Speed(Callback):
    """Logs train/steps_per_second every so many steps, validation left out.

    seconds: spent on training, waiting for data included, over all parts of a resumed run.
    """

    def __init__(self, every: int = 50) -> None:
        self.every = every
        self.seconds = 0.0
        self._steps = 0
        self._seconds = 0.0
        self._started: float | None = None

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Counts from the end of the last batch, so that waiting for data counts as well."""
        if self._started is None:
            self._started = time.perf_counter()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Logs the mean over the steps since the last log."""
        now = time.perf_counter()
        elapsed = now - (now if self._started is None else self._started)
        self.seconds += elapsed
        self._seconds += elapsed
        self._started = now
        self._steps += 1
        if self._steps >= self.every and self._seconds > 0:
            pl_module.log("train/steps_per_second", self._steps / self._seconds)
            self._steps, self._seconds = 0, 0.0

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The clock stands still."""
        self._started = None

    def state_dict(self) -> dict[str, Any]:
        """The seconds so far."""
        return {"seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on counting from there."""
        self.seconds = float(state_dict["seconds"])


@final
class TrainingProgress(TQDMProgressBar):
    """One bar over all steps of the run, where Lightning draws one an epoch; the stream of batches has no epochs."""

    @property
    def total_train_batches(self) -> int:
        """Batches of the whole run."""
        return int(self.trainer.max_steps * self.trainer.accumulate_grad_batches)

    def on_train_start(self, *arguments: Any) -> None:
        """Draws the bar, also where a run is resumed in the middle of what Lightning takes for an epoch."""
        super().on_train_start(*arguments)
        self.train_progress_bar.total = self.total_train_batches

    def on_train_epoch_start(self, trainer: Trainer, *_: Any) -> None:
        """Draws the bar, with the name of what it counts."""
        super().on_train_epoch_start(trainer)
        self.train_progress_bar.set_description("Training")

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Closes the bar, so that it is not drawn again after the message that says what happened."""
        if self._train_progress_bar is not None:
            self._train_progress_bar.close()


class StopRequested(Exception):  # noqa: N818 - nothing went wrong
    """Training was stopped by Ctrl-C after a finished step, and a checkpoint was saved."""


@final
class StopOnInterrupt(Callback):
    """The first Ctrl-C ends training after the step in progress, with a checkpoint; the second ends it at once.

    Listens inside `with stop.listening()`, which goes around `trainer.fit`: Lightning sets signal handlers of its own.
    Raises StopRequested out of `trainer.fit`. A checkpoint in the middle of a step could not be resumed exactly.
    """

    def __init__(self, checkpoint: Path) -> None:
        self.checkpoint = checkpoint
        self.requested = False
        self._saved_at: int | None = None

    def listening(self) -> AbstractContextManager[None]:
        """Takes Ctrl-C over, where that is possible, and gives it back."""
        return interrupts_to(self._on_signal)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Saves if that was asked for. The step is logged only after this, so training stops a little later."""
        if self.requested and self._saved_at is None:
            trainer.save_checkpoint(self.checkpoint)
            self._saved_at = trainer.global_step

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Stops once the checkpoint is saved."""
        if self._saved_at is not None:
            raise StopRequested(f"stopped after step {self._saved_at}")

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stops once the checkpoint is saved, without waiting for dev."""
        self.on_train_batch_start(trainer, pl_module, None, 0)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        log.info("Stopping after this step and saving a checkpoint; press Ctrl-C again to stop at once.")
