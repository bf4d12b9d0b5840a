from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import torch

from cmkt.errors import ConfigError
from cmkt.evaluation.identity import data_fingerprint, model_fingerprint, system_names
from cmkt.inference.load import load_torch
from cmkt.inference.save import save_model


def test_the_fingerprint_follows_the_weights_and_not_the_file(run: Path, second_run: Path, tmp_path: Path) -> None:
    model = load_torch(run).model
    save_model(model, tmp_path / "copy", extra={"note": "moved"})
    assert model_fingerprint(load_torch(tmp_path / "copy").model) == model_fingerprint(model)
    assert model_fingerprint(load_torch(second_run).model) != model_fingerprint(model)


def test_one_changed_weight_changes_the_fingerprint(run: Path) -> None:
    model = load_torch(run).model
    before = model_fingerprint(model)
    with torch.no_grad():
        next(model.parameters()).view(-1)[0] += 1e-6
    assert model_fingerprint(model) != before


def test_the_arguments_belong_to_the_fingerprint(run: Path) -> None:
    model = load_torch(run).model
    before = model_fingerprint(model)
    model.init_args = {"compression": 0.5}  # type: ignore[assignment]
    assert model_fingerprint(model) != before


def test_models_of_16_bit_and_buffers_without_axes_have_one_too(run: Path) -> None:
    model = load_torch(run).model.to(torch.bfloat16)
    model.register_buffer("count", torch.tensor(3))
    assert len(model_fingerprint(model)) == 16


def test_the_data_are_known_by_what_their_manifests_say(tmp_path: Path) -> None:
    prints = []
    for content, stamp in ((b"a", 1), (b"a", 2), (b"b", 1)):
        (tmp_path / "speech.jsonl.gz").write_bytes(gzip.compress(content, mtime=stamp))
        prints.append(data_fingerprint(tmp_path))
    (tmp_path / "noise.jsonl.gz").write_bytes(gzip.compress(b"b"))
    prints.append(data_fingerprint(tmp_path))
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


def test_names_take_as_many_parents_as_they_need() -> None:
    assert system_names(["runs/plain", "runs/transfer"]) == ["plain", "transfer"]
    assert system_names(["a/x/run", "b/x/run", "c"]) == ["a/x/run", "b/x/run", "c"]
    assert system_names(["models/small.safetensors"]) == ["small"]


def test_a_model_given_twice_or_called_noisy_is_refused() -> None:
    with pytest.raises(ConfigError, match="given again: runs/plain"):
        system_names(["runs/plain", "runs/plain"])
    with pytest.raises(ConfigError, match="`noisy`"):
        system_names(["runs/noisy"])
    with pytest.raises(ConfigError, match="`clean`"):
        system_names(["runs/clean"])
