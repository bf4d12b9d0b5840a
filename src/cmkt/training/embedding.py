"""Embedding a corpus on many devices at once, by Lightning's predict loop.

Every process embeds its share of the texts into a store of its own, because a store has one writer; the first one then
puts all of them together. What a run that was stopped left in these parts is taken over by the next.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol, final, runtime_checkable

import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import BasePredictionWriter
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor
from torch.utils.data import DataLoader

from cmkt.errors import ConfigError
from cmkt.text.embedding import CodingError, Embedding, unique_texts, unknown_tokens
from cmkt.text.record import HALF, Statistics
from cmkt.text.store import StoreReader, is_store
from cmkt.text.store_writer import StoreWriter
from cmkt.training.advice import without_advice
from cmkt.types import Teacher

PARTS = "parts"


@runtime_checkable
class Movable(Protocol):
    """A teacher that can run elsewhere."""

    def to(self, device: torch.device) -> None:
        """Moves its model there."""


def embed_on_devices(
    teacher: Teacher,
    texts: Iterable[str | None],
    store_path: str | os.PathLike[str],
    *,
    devices: int,
    accelerator: str,
    bits: int = HALF,
    chunk_texts: int = 256,
    progress: bool = True,
) -> Embedding | None:
    """As `embed_texts`, on `devices` devices of this machine; accelerator: "cpu", "gpu", ... The program is started
    once more for each device after the first, as Lightning does for training.

    Gives what was done in the first process (coding_error: of its own share), None in the others.
    Raises: ConfigError where there are not so many devices, or the teacher cannot move; what `embed_texts` raises.
    """
    if devices < 1:
        raise ConfigError(f"`devices` must be 1 or more, but is {devices} instead.")
    if not isinstance(teacher, Movable):
        raise ConfigError(f"`teacher` must have `to(device)` to run on many devices, but is {type(teacher).__name__}.")
    store = Path(store_path).expanduser().resolve()
    opening: dict[str, Any] = {
        "identity": teacher.identity,
        "width": teacher.width,
        "causal": getattr(teacher, "causal", None),
        "bits": bits,
    }
    if getattr(rank_zero_only, "rank", 0) == 0:  # of the process, also before there is a trainer
        _put_together(store, opening)
    unique = unique_texts(texts)
    missing = sorted(StoreReader(store).missing(unique), key=len, reverse=True)
    writer = _PartWriter(store / PARTS, teacher, opening)
    with without_advice():
        trainer = _trainer(accelerator, devices, writer, progress=progress)
        if missing:
            loader: DataLoader[str] = DataLoader(missing, batch_size=chunk_texts, collate_fn=list)  # type: ignore[arg-type]
            trainer.predict(_Embedder(teacher), loader, return_predictions=False)
        trainer.strategy.barrier()
    if trainer.global_rank != 0:
        return None
    statistics = _put_together(store, opening)
    return Embedding(
        embedded=len(missing),
        present=len(unique) - len(missing),
        store=statistics,
        file_bytes=StoreReader(store).file_bytes,
        coding_error=writer.error.mean,
    )


def _trainer(accelerator: str, devices: int, writer: _PartWriter, *, progress: bool) -> Trainer:
    try:
        return Trainer(
            accelerator=accelerator,
            devices=devices,
            strategy="ddp" if devices > 1 else "auto",
            callbacks=[writer],
            logger=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=progress,
        )
    except (MisconfigurationException, ValueError) as error:
        raise ConfigError(f"`devices` must be at hand, but {devices} of {accelerator!r} are not: {error}") from error


def _put_together(store: Path, opening: dict[str, Any]) -> Statistics:
    """Makes the store, and adds the parts that lie there to it. Gives its statistics."""
    parts = sorted(part for part in (store / PARTS).glob("*") if is_store(part))
    with StoreWriter(store, **opening) as writer:
        for part in parts:
            writer.absorb(StoreReader(part))
        writer.flush()
        statistics = writer.statistics
    shutil.rmtree(store / PARTS, ignore_errors=True)
    return statistics


@final
class _Embedder(LightningModule):
    """The teacher, in a tuple: it is no part of this module."""

    def __init__(self, teacher: Teacher) -> None:
        super().__init__()
        self._held = (teacher,)

    def on_predict_start(self) -> None:
        teacher = self._held[0]
        assert isinstance(teacher, Movable)
        teacher.to(self.device)

    def predict_step(self, batch: list[str], batch_index: int) -> tuple[list[str], list[Tensor]]:
        return batch, self._held[0].embed(batch)


@final
class _PartWriter(BasePredictionWriter):
    """Writes what a process embeds into its own store."""

    def __init__(self, folder: Path, teacher: Teacher, opening: dict[str, Any]) -> None:
        super().__init__("batch")
        self.error = CodingError(opening["bits"])
        self._folder = folder
        self._teacher = teacher
        self._opening = opening
        self._writer: StoreWriter | None = None
        self._unknown = 0

    def on_predict_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._writer = StoreWriter(self._folder / str(trainer.global_rank), **self._opening)
        self._unknown = unknown_tokens(self._teacher)

    def write_on_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        prediction: tuple[list[str], list[Tensor]],
        *_: Any,
    ) -> None:
        assert self._writer is not None
        unknown = unknown_tokens(self._teacher)
        self._writer.add_unknown(unknown - self._unknown)
        self._unknown = unknown
        for text, vectors in zip(*prediction, strict=True):
            self._writer.put(text, vectors)
            self.error.add(vectors)

    def on_predict_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._close()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._close()

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.__exit__(None, None, None)
        self._writer = None
