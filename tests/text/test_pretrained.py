from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from cmkt.errors import ConfigError, MissingExtraError, TeacherError
from cmkt.text.pretrained import fingerprint, load_pretrained


def _load(name: str | Path) -> tuple[object, torch.nn.Module]:
    return load_pretrained(name, revision=None, dtype="float32")


def test_a_folder_that_does_not_exist_is_named_at_once() -> None:
    with pytest.raises(TeacherError, match=r"'/no/such/folder' is no folder"):
        _load("/no/such/folder")


def test_a_name_that_is_not_on_the_hub_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(TeacherError, match=r"'nobody/no-such-model' cannot be loaded: .*'embedded'"):
        _load("nobody/no-such-model")


def test_a_folder_without_a_model_says_what_it_must_hold(tmp_path: Path) -> None:
    with pytest.raises(TeacherError, match=r"must hold config\.json"):
        _load(tmp_path)


def test_damaged_weights_are_an_error_of_the_teacher(tmp_path: Path, tiny_bert: Path) -> None:
    for file in tiny_bert.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(TeacherError, match="cannot be loaded"):
        _load(tmp_path)


def test_missing_weights_are_refused_rather_than_drawn(tmp_path: Path, tiny_bert: Path) -> None:
    from safetensors.torch import load_file, save_file

    for file in tiny_bert.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(TeacherError, match=r"1 tensors are missing .*encoder.layer.1.output.dense.weight"):
        _load(tmp_path)


def test_a_missing_pooler_changes_nothing(tmp_path: Path, tiny_bert: Path) -> None:
    from safetensors.torch import load_file, save_file

    for file in tiny_bert.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = {key: value for key, value in load_file(tmp_path / "model.safetensors").items() if "pooler" not in key}
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert fingerprint(*_load(tmp_path)) == fingerprint(*_load(tiny_bert))


def test_the_fingerprint_sees_the_tokenizer(tmp_path: Path, tiny_bert: Path) -> None:
    for file in tiny_bert.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    description = json.loads((tmp_path / "tokenizer.json").read_text())
    description["normalizer"] = None
    (tmp_path / "tokenizer.json").write_text(json.dumps(description))
    assert fingerprint(*_load(tmp_path)) != fingerprint(*_load(tiny_bert))


def test_the_fingerprint_does_not_change_with_use(tiny_bert: Path) -> None:
    tokenizer, model = load_pretrained(tiny_bert, revision=None, dtype="float32")
    before = fingerprint(tokenizer, model)
    tokenizer(["the", "the fox"], padding=True, truncation=True, max_length=5)
    assert fingerprint(tokenizer, model) == before


def test_an_encoder_decoder_gives_its_encoder(tmp_path: Path, tiny_bert: Path) -> None:
    from transformers import T5Config, T5Model

    T5Model(T5Config(vocab_size=64, d_model=16, d_kv=4, d_ff=16, num_layers=2, num_heads=2)).save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((tiny_bert / name).read_bytes())
    _, model = _load(tmp_path)
    assert model(input_ids=torch.tensor([[1, 2]])).last_hidden_state.shape == (1, 2, 16)


def test_an_unknown_dtype_is_refused(tiny_bert: Path) -> None:
    with pytest.raises(ConfigError, match="`dtype` must be one of float32, float16, bfloat16, but is 'int8'"):
        load_pretrained(tiny_bert, revision=None, dtype="int8")


def test_without_transformers_the_error_names_the_command(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'cmkt\[train\]'"):
        _load(tiny_bert)


def test_loading_leaves_the_terminal_and_the_library_as_they_were(
    tiny_bert: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    _load(tiny_bert)
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
    assert capfd.readouterr() == ("", "")
