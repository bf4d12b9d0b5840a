"""Saving an enhancer."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from torch import nn

from cmkt.errors import CheckpointError, ConfigError
from cmkt.inference.card import sha256_of
from cmkt.inference.load import load_torch
from cmkt.inference.save import save_model


def test_a_saved_model_is_two_files_with_names_that_never_change(saved: Path) -> None:
    assert sorted(path.name for path in saved.iterdir()) == ["model.json", "model.safetensors"]


def test_the_card_says_class_arguments_rate_sum_and_training(saved: Path, crn: nn.Module) -> None:
    card = json.loads((saved / "model.json").read_text(encoding="utf-8"))
    assert card["class_path"] == "cmkt.models.crn.CRN"
    assert card["init_args"] == crn.init_args
    assert card["sample_rate"] == 16_000
    assert card["sha256"] == sha256_of(saved / "model.safetensors")
    assert card["training"] == {"commit": "abc"}


def test_saving_again_replaces_both_files(saved: Path, crn: nn.Module) -> None:
    with torch.no_grad():
        next(crn.parameters()).add_(1.0)
    save_model(crn, saved)
    assert torch.equal(next(load_torch(saved).model.parameters()), next(crn.parameters()))


def test_a_failed_write_leaves_what_was_there(saved: Path, crn: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in saved.iterdir()}

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(CheckpointError, match="No space left"):
        save_model(crn, saved)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before


def test_arguments_without_a_json_form_are_refused_before_writing(crn: nn.Module, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="JSON"):
        save_model(crn, tmp_path / "new", init_args={"path": tmp_path})
    assert not (tmp_path / "new").exists()


def test_a_class_inside_a_function_is_refused(tmp_path: Path) -> None:
    class Local(nn.Module):
        pass

    with pytest.raises(ConfigError, match="importable"):
        save_model(Local(), tmp_path)


def test_a_model_that_does_not_say_its_arguments_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`init_args`"):
        save_model(nn.Linear(2, 2), tmp_path)


def test_tied_weights_are_saved_and_loaded(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    save_model(model, tmp_path, init_args={}, sample_rate=16_000)
    assert (tmp_path / "model.safetensors").stat().st_size > 0


def test_both_files_may_be_read_by_those_who_may_read_the_folder(tmp_path: Path, crn: nn.Module) -> None:
    before = os.umask(0o022)
    try:
        save_model(crn, tmp_path / "model")
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "model").iterdir()} == {0o644}
