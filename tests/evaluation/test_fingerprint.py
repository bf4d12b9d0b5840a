from __future__ import annotations

from pathlib import Path

import torch

from cmkt.evaluation.fingerprint import enhancer_fingerprint, model_fingerprint
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


def test_a_graph_is_known_by_its_file_and_a_torch_model_by_its_weights(run: Path) -> None:
    assert enhancer_fingerprint(load(run)) == model_fingerprint(load_torch(run).model)
    graph = load("default")
    assert isinstance(graph, OnnxEnhancer)
    assert enhancer_fingerprint(graph) == sha256_of(default_card().with_name(GRAPH_NAME))[:16]
