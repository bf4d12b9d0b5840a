from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cmkt.errors import ConfigError
from cmkt.evaluation.identity import check_names, enhancer_fingerprint, model_fingerprint, system_names
from cmkt.inference.card import sha256_of
from cmkt.inference.load import GRAPH_NAME, default_card, load, load_torch
from cmkt.inference.onnx import OnnxEnhancer
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


def test_names_take_as_many_parents_as_they_need() -> None:
    assert system_names(["runs/plain", "runs/transfer"]) == ["plain", "transfer"]
    assert system_names(["a/x/run", "b/x/run", "c"]) == ["a/x/run", "b/x/run", "c"]
    assert system_names(["models/small.safetensors", "models/large.onnx", "v1.2"]) == ["small", "large", "v1.2"]


def test_a_model_given_twice_or_called_noisy_is_refused() -> None:
    with pytest.raises(ConfigError, match="given again: runs/plain"):
        system_names(["runs/plain", "runs/plain"])
    with pytest.raises(ConfigError, match="`noisy`"):
        system_names(["runs/noisy"])
    with pytest.raises(ConfigError, match="`clean`"):
        system_names(["runs/clean"])
    with pytest.raises(ConfigError, match="given again: a"):
        check_names(["a", "b", "a"])


def test_a_graph_is_known_by_its_file_and_a_torch_model_by_its_weights(run: Path) -> None:
    assert enhancer_fingerprint(load(run)) == model_fingerprint(load_torch(run).model)
    graph = load("default")
    assert isinstance(graph, OnnxEnhancer)
    assert enhancer_fingerprint(graph) == sha256_of(default_card().with_name(GRAPH_NAME))[:16]
