"""The Lightning module that trains an enhancer, plain or with linguistic transfer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import numpy as np
import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from cmkt.data.batch import Batch
from cmkt.errors import ConfigError, MetricUndefinedError, NotLearntError
from cmkt.losses.si_sdr import SISDR
from cmkt.metrics.stoi import stoi
from cmkt.training.arms import PlainTask, Transfer, build_arm, prepare_teacher
from cmkt.training.data import MixtureData
from cmkt.training.freezing import freeze as freeze_modules
from cmkt.training.schedule import learning_rate_factor
from cmkt.transfer.task import TransferTask
from cmkt.types import Losses


@final
class EnhancementModule(LightningModule):
    """Trains `model` to enhance with AdamW, a linear warm-up and a cosine decay over `trainer.max_steps`.

    model: (B, T) -> (B, T), with a `sample_rate` in Hz. loss: L_SE, called as loss(estimate=, reference=, lengths=).
    transfer: None for the plain arm. learning_rate: at its peak; learning_rate_floor: share of it that is left at the
    end; gradient_clip_model, gradient_clip_bridge: largest norms of the gradients of each, clipped apart so that
    neither takes room from the other. freeze: names or patterns ("encoder.*") of submodules that are not trained, nor
    their running statistics. dev_stoi_utterances: how many dev utterances are scored by STOI, which is slow.

    Logs raw terms: train/ and dev/ enhancement, transfer and total; dev/si_sdr_improvement in dB; dev/stoi and
    dev/stoi_improvement; dev/mismatch_gap; train/gradient_* norms.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: nn.Module,
        *,
        transfer: Transfer | None = None,
        learning_rate: float = 1e-3,
        learning_rate_floor: float = 0.02,
        warmup_steps: int = 200,
        weight_decay: float = 1e-4,
        gradient_clip_model: float = 5.0,
        gradient_clip_bridge: float = 5.0,
        freeze: list[str] | None = None,
        dev_stoi_utterances: int = 32,
    ) -> None:
        super().__init__()
        _check_numbers(learning_rate, learning_rate_floor, warmup_steps, gradient_clip_model, gradient_clip_bridge)
        self.transfer = transfer
        self.learning_rate = learning_rate
        self.learning_rate_floor = learning_rate_floor
        self.warmup_steps = warmup_steps
        self.weight_decay = weight_decay
        self.gradient_clip_model = gradient_clip_model
        self.gradient_clip_bridge = gradient_clip_bridge
        self.dev_stoi_utterances = dev_stoi_utterances
        self.task: PlainTask | TransferTask = build_arm(model, loss, transfer)
        # Not a list of modules: these are part of the model already and must not be registered twice.
        self._frozen = tuple(freeze_modules(model, freeze or ()))
        self._si_sdr = SISDR()
        self._stoi_left = 0

    @property
    def enhancer(self) -> nn.Module:
        """The model that is trained, the only thing that is kept afterwards."""
        return self.task.model

    def train(self, mode: bool = True) -> EnhancementModule:
        """As of every module, but what is frozen stays in evaluation mode."""
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self

    def forward(self, noisy: Tensor) -> Tensor:
        """Enhanced waveform (B, T)."""
        estimate: Tensor = self.enhancer(noisy)
        return estimate

    def setup(self, stage: str) -> None:
        """Checks the data against model and teacher, where the trainer has a data module that tells."""
        data = getattr(self.trainer, "datamodule", None)
        if isinstance(data, MixtureData):
            self.check_data(data)

    def check_data(self, data: MixtureData) -> None:
        """Raises ConfigError when the sample rates differ, StoreError when the teacher's store lacks a transcript."""
        rate = getattr(self.enhancer, "sample_rate", None)
        if not isinstance(rate, int):
            raise ConfigError(
                f"`sample_rate` must be an attribute of {type(self.enhancer).__name__}, the rate in Hz at which it "
                f"works, but is {rate!r}. Set it in the class, for example: sample_rate = {data.sample_rate}"
            )
        if rate != data.sample_rate:
            raise ConfigError(
                f"`data.sample_rate` must be the model's, {rate} Hz, but is {data.sample_rate} Hz instead."
            )
        for part in self.task.loss.modules():
            heard_at = getattr(part, "sample_rate", rate)
            if heard_at != rate:
                raise ConfigError(
                    f"`sample_rate` of {type(part).__name__} must be the model's, {rate} Hz, but is {heard_at} Hz "
                    f"instead. Give the loss sample_rate: {rate}."
                )
        data.setup()
        if isinstance(self.task, TransferTask):
            prepare_teacher(self.task.teacher, data)

    def on_fit_start(self) -> None:
        """Checks that the trainer leaves to this module what this module does itself."""
        if self.trainer.gradient_clip_val is not None:
            raise ConfigError(
                f"`trainer.gradient_clip_val` must be null, but is {self.trainer.gradient_clip_val} instead. "
                "Model and bridge are clipped apart: set model.gradient_clip_model and model.gradient_clip_bridge."
            )

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW over model and bridge, and the schedule, step by step."""
        total = self.trainer.max_steps
        if total < 1:
            raise ConfigError(
                f"`trainer.max_steps` must be the number of steps to train, but is {total} instead. "
                "The learning rate falls over that many."
            )
        parameters = [p for p in self.task.parameters() if p.requires_grad]
        optimizer = AdamW(parameters, lr=self.learning_rate, weight_decay=self.weight_decay)

        def factor(step: int) -> float:
            return learning_rate_factor(
                step, warmup_steps=self.warmup_steps, total_steps=total, floor=self.learning_rate_floor
            )

        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": LambdaLR(optimizer, factor), "interval": "step"}}

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """The loss of one batch."""
        losses = self._losses(batch)
        if not bool(torch.isfinite(losses.total)):
            raise NotLearntError(self._diverged(batch, losses))
        self._log_terms("train", losses, batch)
        every = 0 if self.transfer is None else self.transfer.log_gradient_norms_every
        if isinstance(self.task, TransferTask) and every and self.global_step % every == 0:
            norms = self.task.gradient_norms(losses)
            self.log_dict({f"train/gradient_{name}_at_layer": value for name, value in norms.items()})
        return losses.total

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clips model and bridge apart."""
        bridge = [p for name, p in self.task.named_parameters() if not name.startswith("model.")]
        self._clip("model", self.enhancer.parameters(), self.gradient_clip_model)
        self._clip("bridge", bridge, self.gradient_clip_bridge)

    def on_validation_epoch_start(self) -> None:
        """Every pass over dev scores the same utterances by STOI."""
        self._stoi_left = self.dev_stoi_utterances

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Logs the losses and the scores of one dev batch."""
        kept: list[Tensor] = []
        hook = self.enhancer.register_forward_hook(lambda _module, _inputs, output: kept.append(output))
        try:
            losses = self._losses(batch)
        finally:
            hook.remove()
        estimate = kept[0].float()
        self._log_terms("dev", losses, batch)
        improvement = self._si_sdr(estimate=batch.noisy, reference=batch.clean, lengths=batch.lengths) - self._si_sdr(
            estimate=estimate, reference=batch.clean, lengths=batch.lengths
        )
        self._log("dev/si_sdr_improvement", improvement, batch)
        if isinstance(self.task, TransferTask):
            gap = self.task.mismatch_gap()
            if gap is not None:
                self._log("dev/mismatch_gap", gap, batch)
        self._log_stoi(batch, estimate)

    def _losses(self, batch: Batch) -> Losses:
        losses: Losses = self.task(batch.noisy, clean=batch.clean, lengths=batch.lengths, texts=batch.texts)
        return losses

    def _log(self, name: str, value: Tensor | float, batch: Batch, *, progress: bool = False) -> None:
        self.log(name, value, batch_size=len(batch.ids), prog_bar=progress, sync_dist=name.startswith("dev/"))

    def _log_terms(self, split: str, losses: Losses, batch: Batch) -> None:
        self._log(f"{split}/total", losses.total.detach(), batch)
        self._log(f"{split}/enhancement", losses.enhancement.detach(), batch, progress=True)
        if isinstance(self.task, TransferTask):
            self._log(f"{split}/transfer", losses.transfer.detach(), batch, progress=True)

    def _log_stoi(self, batch: Batch, estimate: Tensor) -> None:
        """Utterances without a value, such as silent ones, are left out of the mean."""
        rate = int(self.enhancer.sample_rate)  # type: ignore[arg-type]
        for row in range(min(self._stoi_left, len(batch.ids))):
            end = int(batch.lengths[row])
            clean, noisy, enhanced = (_array(x[row, :end]) for x in (batch.clean, batch.noisy, estimate))
            try:
                score = stoi(estimate=enhanced, reference=clean, sample_rate=rate)
                before = stoi(estimate=noisy, reference=clean, sample_rate=rate)
            except MetricUndefinedError:
                continue
            self.log("dev/stoi", score, batch_size=1, on_step=False, on_epoch=True, sync_dist=True)
            self.log("dev/stoi_improvement", score - before, batch_size=1, on_step=False, on_epoch=True, sync_dist=True)
        self._stoi_left -= min(self._stoi_left, len(batch.ids))

    def _clip(self, name: str, parameters: Iterable[nn.Parameter], limit: float) -> None:
        present = [p for p in parameters if p.grad is not None]
        if not present:
            return
        norm = nn.utils.clip_grad_norm_(present, limit)
        if not bool(torch.isfinite(norm)):
            raise NotLearntError(
                f"The gradient of the {name} must be finite, but its norm is {float(norm)} at step {self.global_step}. "
                "Lower model.learning_rate; the last checkpoint is from before this."
            )
        self.log(f"train/gradient_norm_{name}", norm)

    def _diverged(self, batch: Batch, losses: Losses) -> str:
        finite = torch.isfinite(batch.noisy).all(dim=1) & torch.isfinite(batch.clean).all(dim=1)
        damaged = [name for name, ok in zip(batch.ids, finite.tolist(), strict=True) if not ok]
        where = f"audio that is not finite: {', '.join(damaged)}" if damaged else f"utterances {', '.join(batch.ids)}"
        advice = "Run `cmkt prepare` again" if damaged else "Lower model.learning_rate, or look at these utterances"
        enhancement, transfer = float(losses.enhancement.detach()), float(losses.transfer.detach())
        return (
            f"The loss must be finite, but at step {self.global_step} enhancement is {enhancement} and transfer is "
            f"{transfer}, for {where}. {advice}; the last checkpoint is from before this."
        )


def _array(x: Tensor) -> np.ndarray[Any, np.dtype[np.float64]]:
    return x.detach().double().cpu().numpy()


def _check_numbers(rate: float, floor: float, warmup: int, clip_model: float, clip_bridge: float) -> None:
    wanted = {
        "learning_rate": (rate, rate > 0, "positive"),
        "learning_rate_floor": (floor, 0 <= floor <= 1, "between 0 and 1"),
        "warmup_steps": (warmup, warmup >= 0, "0 or more"),
        "gradient_clip_model": (clip_model, clip_model > 0, "positive"),
        "gradient_clip_bridge": (clip_bridge, clip_bridge > 0, "positive"),
    }
    for name, (value, fits, what) in wanted.items():
        if not fits:
            raise ConfigError(f"`{name}` must be {what}, but is {value} instead.")
