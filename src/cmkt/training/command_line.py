"""Lightning's command line, with a folder for each run."""

from __future__ import annotations

import inspect
import logging
from pathlib import Path
from typing import Any, final

import torch
from jsonargparse import DefaultHelpFormatter, Namespace
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint, ProgressBar
from lightning.pytorch.cli import ArgsType, LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from cmkt.data.manifest import cut_text, load_prepared
from cmkt.errors import ConfigError
from cmkt.inference.load import load_weights
from cmkt.inference.save import check_savable
from cmkt.text.embedded import EMBEDDED, embedded_name
from cmkt.training.callbacks import Speed, StepSeed, StopOnInterrupt, TrainingProgress
from cmkt.training.checkpoint import AtomicCheckpointIO, check_fits, read_checkpoint
from cmkt.training.data import MixtureData
from cmkt.training.module import EnhancementModule
from cmkt.training.run_directory import RunDirectory

MONITOR = "dev/enhancement"
"""What makes a checkpoint the best: the enhancement term alone, so that it means the same in every arm."""

TRAINER_DEFAULTS: dict[str, Any] = {
    "max_steps": 20_000,
    "max_epochs": -1,
    "check_val_every_n_epoch": None,
    "val_check_interval": 500,
    "num_sanity_val_steps": 0,
    "log_every_n_steps": 50,
    "use_distributed_sampler": False,
    "enable_model_summary": False,
}

NAMED_CLASSES = 10
"""So many classes of one option are named in the help; torch has hundreds of modules."""

log = logging.getLogger(__name__)


@final
class HelpFormatter(DefaultHelpFormatter):
    """The help of jsonargparse without lists of classes that nobody reads."""

    def _get_help_string(self, action: Any) -> str:
        text = str(super()._get_help_string(action))
        start, _, classes = text.partition(", known subclasses: ")
        return f"{start}; a class_path)" if classes.count(",") >= NAMED_CLASSES else text


@final
class FitCommandLine(LightningCLI):
    """Parses, checks and builds a run; `trainer`, `model`, `datamodule` and `run` are then ready for `trainer.fit`."""

    def __init__(self, arguments: ArgsType) -> None:
        self.stop = StopOnInterrupt(Path())
        self.speed = Speed()
        super().__init__(
            EnhancementModule,
            MixtureData,
            trainer_defaults=TRAINER_DEFAULTS,
            seed_everything_default=0,
            save_config_callback=None,
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
            parser_kwargs={
                "prog": "cmkt fit",
                "description": "Train an enhancer, plain or with linguistic transfer.",
                "formatter_class": HelpFormatter,
            },
            args=arguments,
            run=False,
        )

    @property
    def run(self) -> RunDirectory:
        """The folder of this run."""
        return RunDirectory(Path(self.config.output))

    @property
    def resumed_from(self) -> Path | None:
        """The checkpoint to go on from."""
        given = self.config.ckpt_path
        if given is None:
            return None
        return self.run.last if given == "last" else Path(given)

    def described_model(self) -> dict[str, Any]:
        """What `save_model` needs to know of the model's class: `class_path` and `init_args`."""
        described = self.config.model.model
        given = described.get("init_args", {})
        arguments = getattr(self.model.enhancer, "init_args", None)
        return {
            "class_path": described.class_path,
            "init_args": arguments or (given.as_dict() if isinstance(given, Namespace) else given),
        }

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """What a run has besides trainer, model and data; and what the settings of these two mean."""
        for name, kind in (("model", EnhancementModule), ("data", MixtureData)):
            (parser.groups or {})[name].description = _after_first_line(kind)
        parser.add_argument("--output", type=str | None, default=None, help="Folder of the run; made if need be.")
        parser.add_argument(
            "--ckpt_path", type=str | None, default=None, help="Checkpoint to resume from; `last` is that in --output."
        )
        parser.add_argument(
            "--init",
            type=str | None,
            default=None,
            help="Enhancer whose weights training starts from: `default`, a run, a folder with model.json or a "
            ".safetensors; of the model's class, made with the same arguments.",
        )
        parser.add_argument(
            "--checkpoint_every", type=int, default=500, help="Steps between checkpoints to resume from."
        )
        parser.add_argument(
            "--keep_every",
            type=int | None,
            default=None,
            help="Steps between checkpoints that are all kept, so that `cmkt probe --checkpoints` can look back.",
        )
        parser.add_argument("--threads", type=int | None, default=None, help="CPU threads of torch; default its own.")

    def before_instantiate_classes(self) -> None:
        """Everything that can be checked before a model or a teacher is loaded."""
        if self.config.output is None:
            self.config.output = self.config.trainer.default_root_dir
        if self.config.output is None:
            raise ConfigError("`--output` must be the folder for this run, but is not given.")
        for name in ("checkpoint_every", "keep_every"):
            steps = self.config[name]
            if steps is not None and steps < 1:
                raise ConfigError(f"`--{name}` must be at least 1, but is {steps} instead.")
        resumed_from = self.resumed_from
        if resumed_from is not None:
            read_checkpoint(resumed_from)
        if resumed_from is None or self.run.root.resolve() not in resumed_from.resolve().parents:
            self.run.check_free()
        for folder in (self.config.data.train, self.config.data.dev):
            load_prepared(folder)
        self._choose_embedded_teacher()
        if self.config.threads is not None:
            if self.config.threads < 1:
                raise ConfigError(f"`--threads` must be at least 1, but is {self.config.threads} instead.")
            torch.set_num_threads(self.config.threads)

    def _choose_embedded_teacher(self) -> None:
        """Puts the name of the model for the language of the training transcripts in place of "embedded"."""
        transfer = self.config.model.transfer
        if transfer is not None and transfer.teacher == EMBEDDED:
            transfer.teacher = embedded_name(map(cut_text, load_prepared(self.config.data.train).speech))
            log.info("The teacher is %s, after the language of the transcripts.", transfer.teacher)

    def after_instantiate_classes(self) -> None:
        """Checks that the parts fit each other, then makes the folder."""
        self.model.check_data(self.datamodule)
        check_savable(self.model.enhancer, **self.described_model())
        if self.config.init is not None and self.resumed_from is None:
            load_weights(self.model.enhancer, self.config.init)
            log.info("Starting from the weights of %s.", self.config.init)
        if self.resumed_from is not None:
            checkpoint = read_checkpoint(self.resumed_from)
            check_fits(checkpoint["state_dict"], self.model, self.resumed_from)
            log.info("Going on from step %d, of %s.", checkpoint["global_step"], self.resumed_from)
            self._warn_of_another_schedule()
            if self.trainer.is_global_zero:
                self.run.set_earlier_metrics_aside(int(checkpoint["global_step"]))
        if self.trainer.is_global_zero:
            self.run.root.mkdir(parents=True, exist_ok=True)
            kept = self.config.clone()
            kept.ckpt_path = None  # the same configuration makes the same run, however often this one is resumed
            self.parser.save(kept, str(self.run.config), skip_unset=False, overwrite=True, multifile=False)

    def _warn_of_another_schedule(self) -> None:
        before = self.run.max_steps
        now = self.config.trainer.max_steps
        if before not in (None, now):
            log.warning(
                "`trainer.max_steps` was %s and is %s: from here the learning rate follows the new schedule, so the "
                "run is no longer what a single start would have made.",
                before,
                now,
            )

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """The trainer, with what every run needs."""
        given = self.config_init.trainer
        self.speed.every = given.log_every_n_steps or 50
        self.stop = StopOnInterrupt(self.run.last)
        callbacks = [*(given.callbacks or []), StepSeed(self._seed()), self.speed, self.stop]
        if given.enable_progress_bar is not False and not any(isinstance(c, ProgressBar) for c in callbacks):
            callbacks.append(TrainingProgress())
        plugins = given.plugins or []
        kwargs |= {
            "callbacks": callbacks + self._checkpoints(),
            "plugins": [*(plugins if isinstance(plugins, list) else [plugins]), AtomicCheckpointIO()],
            "default_root_dir": str(self.run.root),
        }
        if given.precision is None:
            kwargs["precision"] = default_precision(given.accelerator)
        if given.logger in (None, True):
            kwargs["logger"] = [
                CSVLogger(
                    self.run.root, name="logs", version="", flush_logs_every_n_steps=given.log_every_n_steps or 50
                ),
                TensorBoardLogger(self.run.logs, name="tensorboard", version=""),
            ]
        try:
            return super().instantiate_trainer(**kwargs)
        except (MisconfigurationException, ValueError) as error:
            raise ConfigError(f"`trainer` must be set to what works on this machine, but: {error}") from error

    def _checkpoints(self) -> list[ModelCheckpoint]:
        if self.config_init.trainer.enable_checkpointing is False:
            return []
        folder = self.run.checkpoints
        kept = [
            ModelCheckpoint(
                folder,
                "step-{step}",
                every_n_train_steps=self.config.keep_every,
                save_top_k=-1,
                auto_insert_metric_name=False,
                enable_version_counter=False,
            )
        ]
        return [
            *(kept if self.config.keep_every is not None else ()),
            ModelCheckpoint(folder, "best", monitor=MONITOR, mode="min", enable_version_counter=False),
            ModelCheckpoint(
                folder,
                "last",
                every_n_train_steps=self.config.checkpoint_every,
                enable_version_counter=False,
            ),
        ]

    def _seed(self) -> int:
        seed = self.config.seed_everything
        return 0 if isinstance(seed, bool) else int(seed)


def _after_first_line(kind: type) -> str:
    return (inspect.getdoc(kind) or "").partition("\n")[2].strip()


def default_precision(accelerator: Any) -> str:
    """Mixed precision where training runs on a GPU, single precision elsewhere; `--trainer.precision` overrides it."""
    return "bf16-mixed" if accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available() else "32-true"
