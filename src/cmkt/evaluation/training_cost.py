"""What training a run has cost: `cost.json` in its folder, written when it ends or is stopped."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, final

from cmkt.audio.write import write_json
from cmkt.errors import DataError

logger = logging.getLogger(__name__)

COST: Final = "cost.json"


@final
@dataclass(frozen=True, slots=True)
class TrainingCost:
    """steps: done in all; training_seconds: spent on them, waiting for data included, validation not.

    peak_memory_bytes: the most that the main process held in main memory; peak_device_bytes: the most that tensors took
    on a GPU, None without one. device: its name; threads: of torch; processes: that trained together. Of a run that
    was resumed, seconds and steps are of all parts, memory is the largest of any, the rest of the last part.
    """

    steps: int
    training_seconds: float
    peak_memory_bytes: int | None
    peak_device_bytes: int | None
    device: str
    threads: int
    processes: int = 1

    @property
    def seconds_per_step(self) -> float | None:
        """None before the first step."""
        return self.training_seconds / self.steps if self.steps else None


def write_cost(run: Path, cost: TrainingCost) -> None:
    """Writes the file; the memory of earlier parts of a resumed run counts."""
    try:
        before = read_cost(run)
    except DataError as error:
        logger.warning("%s", error)
        before = None
    if before is not None:
        cost = replace(
            cost,
            peak_memory_bytes=_larger(cost.peak_memory_bytes, before.peak_memory_bytes),
            peak_device_bytes=_larger(cost.peak_device_bytes, before.peak_device_bytes),
        )
    write_json(run / COST, asdict(cost))


def read_cost(run: Path) -> TrainingCost | None:
    """What was written; None where nothing was, as by runs from before there was such a file, or that crashed.

    Raises: DataError where the file is damaged.
    """
    path = run / COST
    if not path.is_file():
        return None
    try:
        return TrainingCost(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"`{path}` must be the cost of a training run, but is not: {error}. Delete it.") from error


def peak_memory_bytes() -> int | None:
    """The most main memory that this process has held so far; None where the system does not say."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _larger(first: int | None, second: int | None) -> int | None:
    known = [value for value in (first, second) if value is not None]
    return max(known, default=None)
