"""What the checkpoints of a run hold, for looking at a run as it was in the course of training."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

from cmkt.errors import CheckpointError, DataError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

FOLDER: Final = "checkpoints"
BEST, LAST = "best.ckpt", "last.ckpt"
MODEL: Final = "task.model."


@final
@dataclass(frozen=True, slots=True)
class KeptCheckpoint:
    """One checkpoint. step: of training; state: weights of the whole task by name."""

    path: Path
    step: int
    state: dict[str, Any]


def read_kept(path: Path) -> KeptCheckpoint:
    """A checkpoint on the CPU; reading it runs no code. Raises: CheckpointError when the file is none."""
    import torch

    try:
        read = torch.load(path, map_location="cpu", weights_only=True)
        return KeptCheckpoint(path, int(read["global_step"]), read["state_dict"])
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path} must be a checkpoint, but cannot be read: {error}") from error


def best_kept(run: Path) -> KeptCheckpoint:
    """The best checkpoint of a run, or its last one. Raises: DataError when it has neither."""
    path = next((run / FOLDER / name for name in (BEST, LAST) if (run / FOLDER / name).is_file()), None)
    if path is None:
        raise DataError("It has no checkpoint, and the enhancer alone has no bridge.")
    return read_kept(path)


def kept_checkpoints(run: Path) -> list[KeptCheckpoint]:
    """All checkpoints of a run in the order of their steps, one a step.

    Raises: DataError where there is none; CheckpointError where one cannot be read.
    """
    paths = sorted((run / FOLDER).glob("*.ckpt"), key=lambda path: (path.name in (BEST, LAST), path.name))
    if not paths:
        raise DataError(
            f"{run} must be a run with checkpoints, but has none. `cmkt fit --keep_every N` keeps one every N steps."
        )
    by_step: dict[int, KeptCheckpoint] = {}
    for path in paths:
        kept = read_kept(path)
        by_step.setdefault(kept.step, kept)
    return [by_step[step] for step in sorted(by_step)]


def load_kept(model: nn.Module, kept: KeptCheckpoint) -> None:
    """Gives a run's model the weights that it had then. Raises: CheckpointError where they are of another model."""
    try:
        model.load_state_dict(below(kept.state, MODEL))
    except RuntimeError as error:
        raise CheckpointError(f"{kept.path} must hold the weights of its run's model, but does not: {error}") from error


def below(state: dict[str, Any], prefix: str) -> dict[str, Tensor]:
    """The entries below a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
