"""The Lightning data module: prepared folders in, batches of fresh mixtures out."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader

from cmkt.data.batch import Example, collate
from cmkt.data.dataset import MixtureDataset
from cmkt.data.manifest import Prepared, load_prepared
from cmkt.data.mixture import Mixer
from cmkt.data.plan import MixtureSettings
from cmkt.data.sampler import BucketBatchSampler, FixedBatchSampler, Item
from cmkt.data.selection import clean_enough
from cmkt.errors import CheckpointError, ConfigError
from cmkt.training.callbacks import batches_done
from cmkt.training.stream import BatchStream

if TYPE_CHECKING:
    from lhotse import MonoCut

_DEV_SEED = 20250307
"""Dev mixtures are the same in every run, whatever its seed, so that runs can be compared on them."""

log = logging.getLogger(__name__)


@final
class MixtureData(LightningDataModule):
    """Mixtures made while training, from two folders that `cmkt prepare` wrote.

    train, dev: prepared folders. sample_rate: in Hz, the model's. batch_seconds: audio of a batch including padding.
    settings: of the mixtures; dev_settings: of dev, default the same. keep_text: utterances with a transcript are never
    cropped; it is the same in both arms of a comparison, so that their batches are. crop_seconds: of everything else,
    None for never. max_batch: utterances in a batch at most. seed: of draws and batches. workers: loader processes,
    0 mixes in the training process. dev_utterances: how many of dev to use, spread evenly over its list; None for all.
    min_speech_to_floor_db: training utterances that stand less above the noise of their own recording are left out, dev
    is not touched; None keeps all. `cmkt prepare` measured it and its report says how it is spread.

    A position in training is the number of batches done. It is in every checkpoint, and batches and mixtures are pure
    functions of it and the seed, so a resumed run sees exactly what an uninterrupted one would have seen.
    Raises, when set up: DataError for a folder that is not a prepared one, or in which nothing is clean enough;
    ConfigError for settings that cannot work.
    """

    def __init__(
        self,
        train: str,
        dev: str,
        *,
        sample_rate: int = 16_000,
        batch_seconds: float = 32.0,
        settings: MixtureSettings | None = None,
        dev_settings: MixtureSettings | None = None,
        keep_text: bool = True,
        crop_seconds: float | None = 4.0,
        max_batch: int = 64,
        seed: int = 0,
        workers: int = 0,
        dev_utterances: int | None = None,
        min_speech_to_floor_db: float | None = None,
    ) -> None:
        super().__init__()
        if workers < 0:
            raise ConfigError(f"`workers` must be 0 or more, but is {workers} instead.")
        if dev_utterances is not None and dev_utterances < 1:
            raise ConfigError(f"`dev_utterances` must be at least 1, or null for all, but is {dev_utterances} instead.")
        if min_speech_to_floor_db is not None and not math.isfinite(min_speech_to_floor_db):
            raise ConfigError(
                "`min_speech_to_floor_db` must be finite, or null to keep all speech, "
                f"but is {min_speech_to_floor_db} instead."
            )
        self.train = train
        self.dev = dev
        self.sample_rate = sample_rate
        self.batch_seconds = batch_seconds
        self.settings = settings or MixtureSettings()
        self.dev_settings = dev_settings or self.settings
        self.keep_text = keep_text
        self.crop_seconds = crop_seconds
        self.max_batch = max_batch
        self.seed = seed
        self.workers = workers
        self.dev_utterances = dev_utterances
        self.min_speech_to_floor_db = min_speech_to_floor_db
        self._first = 0
        self._train_set: MixtureDataset | None = None
        self._dev_set: MixtureDataset | None = None

    @property
    def train_set(self) -> MixtureDataset:
        """The training utterances; sets the module up where nobody has."""
        if self._train_set is None:
            self.setup()
        assert self._train_set is not None
        return self._train_set

    @property
    def dev_set(self) -> MixtureDataset:
        """The dev utterances; sets the module up where nobody has."""
        if self._dev_set is None:
            self.setup()
        assert self._dev_set is not None
        return self._dev_set

    def texts(self) -> list[str]:
        """Every transcript that training or dev will show, each once, sorted."""
        return sorted({text for data in (self.train_set, self.dev_set) for text in data.texts if text})

    def setup(self, stage: str | None = None) -> None:
        """Reads both folders' lists and checks that they can be batched. Decodes nothing yet."""
        if self._train_set is not None:
            return
        if Path(self.train).resolve() == Path(self.dev).resolve():
            raise ConfigError(f"`dev` must be held out, but is the training folder {self.train}.")
        train, dev = load_prepared(self.train), load_prepared(self.dev)
        self._train_set = self._mixtures(train, self._train_speech(train), self.settings, self.seed)
        self._dev_set = self._mixtures(dev, self._dev_speech(dev), self.dev_settings, _DEV_SEED)
        self._train_sampler()
        self._dev_sampler()
        hours = [sum(data.durations) / 3600 for data in (self._train_set, self._dev_set)]
        log.info(
            "Training on %d utterances (%.2f h), dev on %d (%.2f h).",
            len(self._train_set),
            hours[0],
            len(self._dev_set),
            hours[1],
        )

    def train_dataloader(self) -> DataLoader[Example]:
        """Batches without end, from where the loaded checkpoint stood."""
        if self.workers:
            self.train_set.preload()
        return self._loader(self.train_set, BatchStream(self._train_sampler(), self._first), self.workers)

    def val_dataloader(self) -> DataLoader[Example]:
        """The same dev batches every time."""
        return self._loader(self.dev_set, self._dev_sampler(), 0)

    def state_dict(self) -> dict[str, Any]:
        """How many batches were trained on, and what decides which batches those were."""
        done = self._first if self.trainer is None else batches_done(self.trainer)
        return {"batches": done, **self._deciding()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Training continues after that many batches.

        Raises CheckpointError when the data would not be the same, so that its place among the batches means nothing.
        """
        differing = [
            f"{name} was {state_dict.get(name)} and is {value}"
            for name, value in self._deciding().items()
            if state_dict.get(name) != value
        ]
        if differing:
            raise CheckpointError(
                f"A run must be resumed with the data it was started with, but {'; '.join(differing)}. "
                "Resume with the config.yaml of the run."
            )
        self._first = int(state_dict["batches"])

    def _deciding(self) -> dict[str, float | None]:
        return {
            "seed": self.seed,
            "utterances": len(self.train_set),
            "batch_seconds": self.batch_seconds,
            "max_batch": self.max_batch,
            "min_speech_to_floor_db": self.min_speech_to_floor_db,
            "processes": self._ranks()[1],
        }

    def _train_speech(self, prepared: Prepared) -> list[MonoCut]:
        if self.min_speech_to_floor_db is None:
            return list(prepared.speech)
        return clean_enough(prepared.speech, self.min_speech_to_floor_db, folder=self.train)

    def _dev_speech(self, prepared: Prepared) -> list[MonoCut]:
        speech, limit = list(prepared.speech), self.dev_utterances
        if limit is None or limit >= len(speech):
            return speech
        return [speech[index * len(speech) // limit] for index in range(limit)]

    def _mixtures(
        self, prepared: Prepared, speech: list[MonoCut], settings: MixtureSettings, seed: int
    ) -> MixtureDataset:
        return MixtureDataset(
            speech,
            Mixer(settings, prepared.noise, prepared.rir, self.sample_rate),
            seed=seed,
            crop_seconds=self.crop_seconds,
            needs_text=self.keep_text,
        )

    def _train_sampler(self) -> BucketBatchSampler:
        rank, world_size = self._ranks()
        return BucketBatchSampler(
            self.train_set.durations,
            batch_seconds=self.batch_seconds,
            seed=self.seed,
            max_batch=self.max_batch,
            rank=rank,
            world_size=world_size,
        )

    def _dev_sampler(self) -> FixedBatchSampler:
        rank, world_size = self._ranks()
        return FixedBatchSampler(
            self.dev_set.durations,
            batch_seconds=self.batch_seconds,
            max_batch=self.max_batch,
            rank=rank,
            world_size=world_size,
        )

    def _ranks(self) -> tuple[int, int]:
        return (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)

    def _loader(
        self, data: MixtureDataset, sampler: BatchStream[Item] | FixedBatchSampler, workers: int
    ) -> DataLoader[Example]:
        on_gpu = self.trainer is not None and self.trainer.strategy.root_device.type == "cuda"
        return DataLoader(
            data,
            batch_sampler=sampler,
            collate_fn=collate,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=on_gpu,
        )
