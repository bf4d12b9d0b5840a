"""Checkpoints: whole or not at all, and refused when they are another model's."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from cmkt.errors import CheckpointError
from cmkt.training.checkpoint import AtomicCheckpointIO, check_fits, read_checkpoint

WHOLE = {"state_dict": {"weight": torch.ones(2)}, "global_step": 3, "loops": {}}


def full_disk(_checkpoint: object, path: Path) -> None:
    """Writes a little, then there is no room left."""
    Path(path).write_bytes(b"half")
    raise OSError(errno.ENOSPC, "No space left on device")


def test_what_is_saved_can_be_read(tmp_path: Path) -> None:
    AtomicCheckpointIO().save_checkpoint(WHOLE, tmp_path / "folder" / "last.ckpt")
    assert read_checkpoint(tmp_path / "folder" / "last.ckpt")["global_step"] == 3


def test_a_full_disk_leaves_the_checkpoint_before_and_no_half_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint(WHOLE, path)
    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(CheckpointError, match=r"No space left.*one before it is whole"):
        AtomicCheckpointIO().save_checkpoint(WHOLE | {"global_step": 4}, path)
    assert [child.name for child in tmp_path.iterdir()] == ["last.ckpt"]
    assert read_checkpoint(path)["global_step"] == 3


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"seed_everything: 1\ntrainer: {}\n", b"PK\x03\x04 cut"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "last.ckpt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"last\.ckpt"):
        read_checkpoint(path)


def test_a_missing_file_and_a_file_of_something_else_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is none"):
        read_checkpoint(tmp_path / "none.ckpt")
    torch.save({"weight": torch.ones(1)}, tmp_path / "weights.pt")
    with pytest.raises(CheckpointError, match="cmkt fit"):
        read_checkpoint(tmp_path / "weights.pt")


class Weightless:
    """Something that could run code when it is unpickled."""


def test_a_checkpoint_that_could_run_code_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": Weightless()}, tmp_path / "last.ckpt")
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_checkpoint(tmp_path / "last.ckpt")


def changed(state: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in (state | changes).items() if value is not None}


def test_a_state_of_the_same_model_fits() -> None:
    check_fits(nn.Linear(2, 3).state_dict(), nn.Linear(2, 3), "x.ckpt")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bias": None}, "lacks: bias"),
        ({"bias": None, "bais": torch.ones(3)}, r"lacks: bias; it has besides: bais.*Closest to bias is bais"),
        ({"weight": torch.ones(3, 4)}, r"weight is \(3, 4\) and must be \(3, 2\)"),
    ],
)
def test_a_state_of_another_model_is_refused_by_name(changes: dict[str, Any], words: str) -> None:
    layer = nn.Linear(2, 3)
    with pytest.raises(CheckpointError, match=words):
        check_fits(changed(layer.state_dict(), **changes), layer, "x.ckpt")
