"""Checkpoints that appear whole or not at all, and that are refused before training when they are another model's."""

from __future__ import annotations

import difflib
import pickle
import zipfile
from pathlib import Path
from typing import Any, final

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from torch import Tensor, nn

from cmkt.audio.write import atomic_path
from cmkt.errors import CheckpointError

_SHOWN = 5


@final
class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the final name and renames; a checkpoint that cannot be written leaves the previous one."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        """Raises CheckpointError when the disk is full or the folder cannot be written."""
        path = Path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(path) as unfinished:
                torch.save(checkpoint, unfinished)
        except (OSError, RuntimeError) as error:
            # torch.save reports a full disk as a RuntimeError of its archive writer.
            kept = "The one before it is whole" if path.is_file() else "There is none from before"
            raise CheckpointError(
                f"The checkpoint {path} must be writable, but is not: {_first_line(error)}. {kept}. "
                "Make room on the disk, then resume."
            ) from error


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """What a training run stored, on the CPU. Raises CheckpointError when the file is not a training checkpoint."""
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(
            f"`ckpt_path` must be a checkpoint file, but {path} is none. Give RUN/checkpoints/last.ckpt."
        )
    if not zipfile.is_zipfile(path):  # torch fails on other files in many ways
        raise CheckpointError(f"{path} must be a checkpoint that `cmkt fit` wrote, but is not or is damaged.")
    try:
        # Only tensors and plain values are read: a checkpoint can run no code.
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path} must be a checkpoint, but cannot be read: {_first_line(error)}.") from error
    if not isinstance(checkpoint, dict) or not {"state_dict", "global_step", "loops"} <= checkpoint.keys():
        raise CheckpointError(f"{path} must be a checkpoint that `cmkt fit` wrote, but holds something else.")
    return checkpoint


def check_fits(state: dict[str, Any], module: nn.Module, source: str | Path) -> None:
    """Raises CheckpointError, naming what differs, unless `state` is a state of `module`."""
    own = module.state_dict()
    missing = sorted(own.keys() - state.keys())
    foreign = sorted(state.keys() - own.keys())
    shapes = sorted(
        f"{name} is {tuple(state[name].shape)} and must be {tuple(value.shape)}"
        for name, value in own.items()
        if isinstance(value, Tensor) and isinstance(state.get(name), Tensor) and state[name].shape != value.shape
    )
    parts = [
        f"{title}: {_some(names)}"
        for title, names in (("it lacks", missing), ("it has besides", foreign), ("other shapes", shapes))
        if names
    ]
    if not parts:
        return
    near = difflib.get_close_matches(missing[0], foreign, n=1) if missing and foreign else []
    hint = f" Closest to {missing[0]} is {near[0]}." if near else ""
    raise CheckpointError(
        f"The checkpoint {source} must be of the model in this configuration, but is of another: {'; '.join(parts)}."
        f"{hint} Resume with the config.yaml of its run."
    )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
