"""Lightning without its advice about what is done on purpose here."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_ADVICE = (
    "LightningCLI's args parameter is intended",
    "The 'train_dataloader' does not have many workers",
    "The 'val_dataloader' does not have many workers",
    "Experiment logs directory .* exists and is not empty",
    "Checkpoint directory .* exists and is not empty",
    "GPU available but not used",
    "You're resuming from a checkpoint that ended before the epoch ended",
    "The number of training batches",
    "Found .* module.* in eval mode",
    "`isinstance\\(treespec, LeafSpec\\)` is deprecated",
    "The dirpath has changed from",
)
"""Warnings of Lightning about what is done on purpose here."""

_LOGGERS = ("lightning.pytorch", "lightning.fabric", "lightning_utilities.core.rank_zero")


@contextmanager
def without_advice() -> Iterator[None]:
    """Silences Lightning's advice about what is done on purpose here; every other warning is heard."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    heard = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for pattern in _ADVICE:
            warnings.filterwarnings("ignore", message=pattern)
        for logger in loggers:
            logger.setLevel(logging.WARNING)
        try:
            yield
        finally:
            for logger, level in zip(loggers, heard, strict=True):
                logger.setLevel(level)
