"""Loading an enhancer, and what must be refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cmkt.errors import CheckpointError, ConfigError
from cmkt.inference import load as loading
from cmkt.inference.card import sha256_of
from cmkt.inference.enhancer import TorchEnhancer
from cmkt.inference.load import load
from cmkt.inference.onnx import OnnxEnhancer
from cmkt.inference.save import save_model

FOREIGN = """
import torch
from torch import nn

class Halver(nn.Module):
    causal, sample_rate, latency_samples = False, 8000, 0
    def __init__(self):
        super().__init__()
        self.init_args = {}
        self.gain = nn.Parameter(torch.tensor(0.5))
    def forward(self, noisy, lengths=None):
        return self.gain * noisy
"""


def edit(folder: Path, **changes: Any) -> None:
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    (folder / "model.json").write_text(json.dumps({**card, **changes}), encoding="utf-8")


def arguments(model: nn.Module) -> dict[str, Any]:
    init_args = model.init_args
    assert isinstance(init_args, dict)
    return init_args


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A saved model of a class outside this package, whose module is not imported yet."""
    (tmp_path / "outsider_model.py").write_text(FOREIGN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = __import__("outsider_model")
    folder = save_model(module.Halver(), tmp_path / "foreign")
    monkeypatch.delitem(sys.modules, "outsider_model")
    return folder


def test_a_loaded_model_gives_the_same_bit_for_bit(saved: Path, enhancer: TorchEnhancer) -> None:
    noisy = np.random.default_rng(0).standard_normal(5_000).astype(np.float32) * 0.05
    wanted = enhancer.enhance(noisy, sample_rate=16_000)
    assert np.array_equal(load(saved).enhance(noisy, sample_rate=16_000), wanted)


def test_every_way_to_name_a_saved_model_finds_it(saved: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    saved.rename(run / "enhancer")
    for source in (run, run / "enhancer", run / "enhancer" / "model.safetensors", run / "enhancer" / "model.json"):
        assert isinstance(load(str(source)), TorchEnhancer)


def test_weights_may_have_another_name_when_the_card_has_it_too(saved: Path) -> None:
    (saved / "model.safetensors").rename(saved / "good.safetensors")
    (saved / "model.json").rename(saved / "good.json")
    assert isinstance(load(saved / "good.safetensors"), TorchEnhancer)


def test_a_loaded_model_is_in_evaluation_mode_and_loading_draws_no_random_numbers(saved: Path) -> None:
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    assert not load(saved, device="cpu").model.training
    assert torch.equal(torch.rand(1), wanted)


def test_a_default_model_that_is_missing_gives_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "__file__", str(tmp_path / "load.py"))
    with pytest.raises(ConfigError, match=r"ships no default model\. Pass a run directory"):
        load("default")


@pytest.fixture
def default(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that ships a small model."""
    shutil.copytree(exported, tmp_path / "default")
    monkeypatch.setattr(loading, "__file__", str(tmp_path / "load.py"))
    return tmp_path / "default"


@pytest.mark.usefixtures("default")
def test_the_default_model_is_a_graph_and_a_torch_model_where_a_device_is_named() -> None:
    enhancer, model = load("default"), load("default", device="cpu")
    assert isinstance(enhancer, OnnxEnhancer)
    assert isinstance(model, TorchEnhancer)
    noisy = np.random.default_rng(0).standard_normal(9_000).astype(np.float32) * 0.05
    wanted = model.enhance(noisy, sample_rate=16_000)
    np.testing.assert_allclose(enhancer.enhance(noisy, sample_rate=16_000), wanted, atol=1e-4)


def test_a_default_model_without_a_graph_is_an_error(default: Path) -> None:
    (default / "model.onnx").unlink()
    with pytest.raises(ConfigError, match=r"model\.onnx must be readable"):
        load("default")


def test_a_graph_is_no_torch_model(exported: Path) -> None:
    for device in ("cpu", "cuda"):
        with pytest.raises(ConfigError, match="runs on the CPU only"):
            load(exported / "model.onnx", device=device)


def test_a_class_outside_the_package_is_refused_and_not_imported(foreign: Path) -> None:
    with pytest.raises(ConfigError, match="allow_foreign=True"):
        load(foreign)
    assert "outsider_model" not in sys.modules


def test_a_class_that_is_not_found_says_where_it_is_looked_for(foreign: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(foreign.parent)])
    sys.modules.pop("outsider_model", None)
    with pytest.raises(CheckpointError, match="PYTHONPATH"):
        load(foreign, allow_foreign=True)


def test_a_class_outside_the_package_loads_when_allowed(foreign: Path) -> None:
    enhancer = load(foreign, device="cpu", allow_foreign=True)
    assert type(enhancer.model).__name__ == "Halver"
    assert enhancer.sample_rate == 8_000


@pytest.mark.parametrize("path", ["cmkt.models.crn.nn", "cmkt.models.blocks.torch", "cmkt.inference.load.load"])
def test_a_class_path_that_is_no_model_is_refused(saved: Path, path: str) -> None:
    edit(saved, class_path=path)
    with pytest.raises(CheckpointError, match=r"must name an nn\.Module"):
        load(saved)


def test_a_class_that_the_package_only_imported_is_refused(saved: Path) -> None:
    edit(saved, class_path="torch.nn.Identity")
    with pytest.raises(ConfigError, match="class of cmkt"):
        load(saved)


@pytest.mark.parametrize("path", ["cmkt.models.nothing.CRN", "cmkt.models.crn.Nothing", "cmkt..CRN"])
def test_a_class_path_that_leads_nowhere_is_a_checkpoint_error(saved: Path, path: str) -> None:
    edit(saved, class_path=path)
    with pytest.raises(CheckpointError, match="importable"):
        load(saved)


def test_arguments_that_do_not_fit_are_a_checkpoint_error(saved: Path) -> None:
    edit(saved, init_args={"colour": 3})
    with pytest.raises(CheckpointError, match="colour"):
        load(saved)


def test_weights_of_another_model_name_the_first_keys_that_do_not_fit(
    crn: nn.Module, blstm: nn.Module, tmp_path: Path
) -> None:
    save_model(blstm, tmp_path, class_path="cmkt.models.crn.CRN", init_args=arguments(crn))
    with pytest.raises(CheckpointError, match=r"missing: encoder\.0\.conv\.weight, .*unexpected: dense\."):
        load(tmp_path)


def test_weights_of_another_size_name_the_shapes(crn: nn.Module, tmp_path: Path) -> None:
    save_model(crn, tmp_path, init_args={**arguments(crn), "hidden": 16})
    with pytest.raises(CheckpointError, match="of another shape: recurrent"):
        load(tmp_path)


@pytest.mark.parametrize("keep", [0, 5, 200, -1])
def test_truncated_weights_are_a_checkpoint_error(saved: Path, keep: int) -> None:
    path = saved / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match="truncated"):
        load(saved)


def test_weights_that_are_no_safetensors_are_a_checkpoint_error(saved: Path) -> None:
    path = saved / "model.safetensors"
    path.write_bytes(b"not weights at all")
    edit(saved, sha256=sha256_of(path))
    with pytest.raises(CheckpointError, match="whole safetensors file"):
        load(saved)


def test_weights_outside_the_folder_are_refused(saved: Path) -> None:
    edit(saved, weights="../other.safetensors")
    with pytest.raises(CheckpointError, match="bare file name"):
        load(saved)


def test_a_rate_that_is_not_the_models_is_refused(saved: Path) -> None:
    edit(saved, sample_rate=8_000)
    with pytest.raises(CheckpointError, match="16000 Hz"):
        load(saved)


def test_what_is_missing_is_named(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match=r"must come with model\.json"):
        load(tmp_path / "empty")
    (tmp_path / "last.ckpt").touch()
    with pytest.raises(ConfigError, match=r"last\.ckpt"):
        load(tmp_path / "last.ckpt")
    (saved / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="does not exist"):
        load(saved)


@pytest.mark.parametrize("device", ["cuda:99", "banana"])
def test_a_device_that_does_not_exist_is_refused(saved: Path, device: str) -> None:
    with pytest.raises(ConfigError, match=device):
        load(saved, device=device)


def test_loading_and_enhancing_import_neither_language_models_nor_training(saved: Path) -> None:
    code = (
        "import sys, numpy, cmkt\n"
        f"cmkt.load({str(saved)!r}).enhance(numpy.zeros(100, numpy.float32), sample_rate=16000)\n"
        "banned = ('transformers', 'lightning', 'lhotse', 'cmkt.transfer', 'cmkt.text', 'cmkt.data')\n"
        "print([name for name in sys.modules if name.startswith(banned)])\n"
    )
    source = str(Path(loading.__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": source}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert result.stdout.strip() == "[]", result.stderr


def test_streams_and_files_import_no_torch() -> None:
    code = (
        "import sys, cmkt, cmkt.inference.files, cmkt.inference.stream, cmkt.inference.load, cmkt.cli.enhance\n"
        "print('torch' in sys.modules)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(loading.__file__).parents[2])}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert result.stdout.strip() == "False", result.stderr


def test_a_model_that_does_not_exist_is_said_before_torch_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "cmkt.inference.enhancer", None)
    with pytest.raises(ConfigError, match="does not exist"):
        load(tmp_path / "nosuch")
