"""These run where faster-whisper is installed (`pip install 'cmkt[whisper]'`), which set-up does not do."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from cmkt.errors import TranscriberError
from cmkt.testing.tiny_recognisers import save_tiny_whisper
from cmkt.text.faster_whisper import FasterWhisperTranscriber
from cmkt.types import Heard

pytest.importorskip("faster_whisper", reason="needs faster-whisper: pip install 'cmkt[whisper]'")

RATE = 16_000


def noise(seconds: float) -> np.ndarray:
    return 0.1 * np.random.default_rng(0).standard_normal(round(seconds * RATE))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Whisper, converted as a user would convert one."""
    converters = pytest.importorskip("ctranslate2.converters")
    made = tmp_path_factory.mktemp("whisper")
    source = save_tiny_whisper(made / "torch")
    copied = ["tokenizer.json", "preprocessor_config.json"]
    converters.TransformersConverter(str(source), copy_files=copied).convert(str(made / "converted"))
    return made / "converted"


@pytest.fixture(scope="module")
def transcriber(folder: Path) -> FasterWhisperTranscriber:
    return FasterWhisperTranscriber(str(folder))


def test_it_takes_more_than_it_reads_at_once(transcriber: FasterWhisperTranscriber) -> None:
    assert isinstance(transcriber.transcribe(noise(40), sample_rate=RATE), Heard)


def test_the_identity_follows_the_files_and_not_the_folder(
    folder: Path, transcriber: FasterWhisperTranscriber, tmp_path: Path
) -> None:
    moved = shutil.copytree(folder, tmp_path / "moved")
    assert FasterWhisperTranscriber(str(moved)).identity == transcriber.identity
    (moved / "preprocessor_config.json").write_text("{}")
    assert FasterWhisperTranscriber(str(moved)).identity != transcriber.identity


def test_a_folder_that_holds_no_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TranscriberError, match=r"must hold model\.bin"):
        FasterWhisperTranscriber(str(tmp_path))
    with pytest.raises(TranscriberError, match="is no folder"):
        FasterWhisperTranscriber(str(tmp_path / "absent"))
    with pytest.raises(TranscriberError, match="Invalid model size"):
        FasterWhisperTranscriber("no-such-size")
