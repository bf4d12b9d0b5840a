from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cmkt.errors import ConfigError, TranscriberError
from cmkt.testing.tiny_recognisers import save_tiny_ctc, save_tiny_whisper
from cmkt.text.huggingface_transcriber import HuggingFaceTranscriber
from cmkt.text.transcriber import open_transcriber
from cmkt.types import Transcriber

RATE = 16_000


def noise(seconds: float) -> NDArray[np.float64]:
    return 0.1 * np.random.default_rng(0).standard_normal(round(seconds * RATE))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("recognisers")
    return {"ctc": save_tiny_ctc(folder / "ctc"), "whisper": save_tiny_whisper(folder / "whisper")}


@pytest.fixture(scope="module")
def opened(folders: dict[str, Path]) -> dict[str, Transcriber]:
    return {kind: open_transcriber(f"transformers:{folder}") for kind, folder in folders.items()}


def test_a_model_that_always_says_a_letter_is_heard_to_say_it(folders: dict[str, Path], tmp_path: Path) -> None:
    from transformers import Wav2Vec2ForCTC

    model: Any = Wav2Vec2ForCTC.from_pretrained(folders["ctc"])
    with torch.no_grad():
        model.lm_head.weight.zero_()
        model.lm_head.bias.zero_()[model.config.vocab_size - 1] = 1.0  # the apostrophe
    shutil.copytree(folders["ctc"], tmp_path / "said")
    model.save_pretrained(tmp_path / "said")
    assert HuggingFaceTranscriber(str(tmp_path / "said")).transcribe(noise(1), sample_rate=RATE).text == "'"


def test_whisper_takes_more_than_it_reads_at_once(opened: dict[str, Transcriber]) -> None:
    heard = opened["whisper"].transcribe(noise(31), sample_rate=RATE)
    assert heard == opened["whisper"].transcribe(noise(31), sample_rate=RATE)


def test_the_identity_follows_the_weights_and_not_the_folder(
    folders: dict[str, Path], opened: dict[str, Transcriber], tmp_path: Path
) -> None:
    moved = shutil.copytree(folders["ctc"], tmp_path / "moved")
    assert HuggingFaceTranscriber(str(moved)).identity == opened["ctc"].identity
    other = save_tiny_ctc(tmp_path / "other", seed=1)
    assert HuggingFaceTranscriber(str(other)).identity != opened["ctc"].identity
    assert opened["whisper"].identity.startswith("transformers 5")
    assert opened["whisper"].languages is None


def test_a_model_that_recognises_no_speech_is_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    from transformers import Wav2Vec2Model

    shutil.copytree(folders["ctc"], tmp_path / "base")
    model: Any = Wav2Vec2Model.from_pretrained(folders["ctc"])
    model.save_pretrained(tmp_path / "base")
    with pytest.raises(TranscriberError, match=r"must be a model that recognises speech, .* saved as Wav2Vec2Model"):
        HuggingFaceTranscriber(str(tmp_path / "base"))


def test_a_model_without_all_its_weights_is_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(folders["ctc"], tmp_path / "partial")
    weights = load_file(folder / "model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(TranscriberError, match=r"1 tensors are missing \(lm_head.weight"):
        HuggingFaceTranscriber(str(folder))


def test_a_damaged_or_absent_folder_is_an_error_that_says_what_it_must_hold(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(folders["ctc"], tmp_path / "damaged")
    (folder / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(TranscriberError, match=r"cannot be loaded: .* as save_pretrained writes them"):
        HuggingFaceTranscriber(str(folder))
    with pytest.raises(TranscriberError, match="is no folder"):
        HuggingFaceTranscriber(str(tmp_path / "absent"))


def test_a_device_that_does_not_exist_is_refused(folders: dict[str, Path]) -> None:
    with pytest.raises(ConfigError, match="`device`"):
        HuggingFaceTranscriber(str(folders["ctc"]), device="warp")
