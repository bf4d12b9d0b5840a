"""`cmkt fit`: a training run from its configuration to the saved enhancer."""

from __future__ import annotations

import errno
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Trainer

from cmkt.errors import CheckpointError, ConfigError
from cmkt.evaluation.cost import processor_name
from cmkt.evaluation.training_cost import TrainingCost, peak_memory_bytes, write_cost
from cmkt.inference.save import save_model
from cmkt.training.advice import without_advice
from cmkt.training.callbacks import StopRequested
from cmkt.training.checkpoint import read_checkpoint
from cmkt.training.command_line import MONITOR, FitCommandLine
from cmkt.training.run_directory import config_hash, git_commit

INTERRUPTED = 130

log = logging.getLogger(__name__)


def fit(arguments: Sequence[str]) -> int:
    """Trains as `arguments`, those of `cmkt fit`, say. Gives 0 when done, 130 when stopped by Ctrl-C.

    Either way the folder of the run has a checkpoint to resume from and the enhancer: that of the best checkpoint when
    done, of the last one when stopped. Raises the errors of what it builds, before anything is trained.
    """
    with without_advice():
        try:
            line = FitCommandLine(list(arguments))
        except UnicodeDecodeError as error:
            raise ConfigError(f"`--config` must be a YAML file in UTF-8, but is not: {error}.") from error
        parameters = sum(p.numel() for p in line.model.enhancer.parameters())
        log.info(
            "Training %s, %s parameters, in %s.", type(line.model.enhancer).__name__, f"{parameters:,}", line.run.root
        )
        try:
            with line.stop.listening():
                line.trainer.fit(
                    line.model,
                    datamodule=line.datamodule,
                    ckpt_path=None if line.resumed_from is None else str(line.resumed_from),
                    weights_only=None if line.resumed_from is None else True,
                )
        except StopRequested as stopped:
            return _interrupted(line, str(stopped))
        except SystemExit:  # Lightning turns a second Ctrl-C, or one during validation, into this
            return _interrupted(line, "stopped at once")
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise CheckpointError(
                f"There must be room on the disk of {line.run.root}, but there is none: {error}. "
                f"Make room, then resume with --ckpt_path {line.run.last}"
            ) from error
        finally:
            _join_metrics(line)
            _write_cost(line)
        _finish(line)
    return 0


def _join_metrics(line: FitCommandLine) -> None:
    if not line.trainer.is_global_zero:
        return
    try:
        line.run.join_metrics()
    except OSError as error:  # must not hide what ended the run; the parts are joined when it is resumed
        log.warning("The log stays in two parts, metrics.csv and metrics.earlier.csv: %s", error)


def _write_cost(line: FitCommandLine) -> None:
    """Also of a run that crashed: what it had cost until then."""
    if not line.trainer.is_global_zero or not line.trainer.global_step or line.config.trainer.fast_dev_run:
        return
    try:
        write_cost(line.run.root, training_cost(line.trainer, line.speed.seconds))
    except OSError as error:  # must not hide what ended the run
        log.warning("What training has cost is not written: %s", error)


def training_cost(trainer: Trainer, seconds: float) -> TrainingCost:
    """What `trainer` has cost so far. `seconds`: of training, as `Speed` counts them."""
    device = trainer.strategy.root_device
    on_gpu = device.type == "cuda"
    return TrainingCost(
        steps=int(trainer.global_step),
        training_seconds=round(seconds, 2),
        peak_memory_bytes=peak_memory_bytes(),
        peak_device_bytes=torch.cuda.max_memory_allocated(device) if on_gpu else None,
        device=torch.cuda.get_device_name(device) if on_gpu else processor_name(),
        threads=torch.get_num_threads(),
        processes=int(trainer.world_size),
    )


def _finish(line: FitCommandLine) -> None:
    if line.config.trainer.fast_dev_run or not line.trainer.checkpoint_callbacks:
        log.info("Nothing is saved, as the configuration asks.")
        return
    line.trainer.save_checkpoint(line.run.last)
    source = line.run.best if line.run.best.is_file() else line.run.last
    save_enhancer(line, source)
    foreign = "" if line.described_model()["class_path"].startswith("cmkt.") else " --allow-foreign"
    log.info("Done: %s. Next: cmkt enhance INPUT --model %s --output DIR%s", line.run.enhancer, line.run.root, foreign)


def _interrupted(line: FitCommandLine, reason: str) -> int:
    if not line.run.last.is_file():
        log.info("Interrupted, %s, before the first checkpoint: nothing to resume. Start again.", reason)
        return INTERRUPTED
    if line.trainer.is_global_zero:
        save_enhancer(line, line.run.last)
    log.info(
        "Interrupted, %s. Resume with: cmkt fit --config %s --ckpt_path %s", reason, line.run.config, line.run.last
    )
    return INTERRUPTED


def save_enhancer(line: FitCommandLine, checkpoint_path: Path) -> None:
    """Writes the enhancer of a checkpoint of this run into its folder, with where it comes from."""
    if not line.trainer.is_global_zero:
        return
    checkpoint = read_checkpoint(checkpoint_path)
    line.model.load_state_dict(checkpoint["state_dict"])
    model = line.model.enhancer.cpu().eval()
    save_model(model, line.run.enhancer, **line.described_model(), extra=_provenance(line, checkpoint, checkpoint_path))


def _provenance(line: FitCommandLine, checkpoint: dict[str, Any], path: Path) -> dict[str, Any]:
    score = line.trainer.callback_metrics.get(MONITOR)
    return {
        "arm": "plain" if line.model.transfer is None else "transfer",
        "checkpoint": path.name,
        "step": int(checkpoint["global_step"]),
        "max_steps": int(line.trainer.max_steps),
        "seed": line.config.seed_everything,
        "training_seconds": round(line.speed.seconds, 1),
        "last_dev_loss": None if score is None else float(score),
        "config": line.run.config.name,
        "config_sha256": config_hash(line.run.config),
        "commit": git_commit(),
        "torch": torch.__version__,
        "device": str(line.trainer.strategy.root_device),
    }
