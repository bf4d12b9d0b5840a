from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cmkt.errors import ConfigError
from cmkt.testing.tiny_models import save_tiny_bert
from cmkt.text.characters import CharacterTeacher
from cmkt.text.embedding import embed_texts
from cmkt.text.huggingface import HuggingFaceTeacher
from cmkt.text.store import StoredTeacher, StoreReader
from cmkt.text.store_writer import StoreWriter
from cmkt.training.embedding import PARTS, embed_on_devices

TEXTS = ["THE FOX", "THE LAZY DOG", "YOU", "IT IS SO SAID THE CAT", "A QUICK ZEBRA", "AND THEN"]

TWO_PROCESSES = """
import sys
from cmkt.text.huggingface import HuggingFaceTeacher
from cmkt.training.embedding import embed_on_devices
done = embed_on_devices(
    HuggingFaceTeacher(sys.argv[1]),
    sys.argv[3:],
    sys.argv[2],
    devices=2,
    accelerator="cpu",
    chunk_texts=2,
    progress=False,
)
print("done" if done is None else f"{done.embedded} embedded")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def expected(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process makes of the texts."""
    store = tmp_path_factory.mktemp("expected")
    embed_texts(HuggingFaceTeacher(folder), TEXTS, store, progress=False)
    return store


def assert_same(store: Path, expected: Path) -> None:
    for found, wanted in zip(StoredTeacher(store).embed(TEXTS), StoredTeacher(expected).embed(TEXTS), strict=True):
        torch.testing.assert_close(found, wanted, atol=2e-3, rtol=0)
    own, other = StoreReader(store).statistics, StoreReader(expected).statistics
    assert (own.texts, own.tokens, own.unknown) == (other.texts, other.tokens, other.unknown)
    assert own.mean_direction_floor == pytest.approx(other.mean_direction_floor, abs=1e-3)
    assert not (store / PARTS).exists()


def test_the_predict_loop_fills_the_store_that_a_plain_loop_does(folder: Path, expected: Path, tmp_path: Path) -> None:
    teacher = HuggingFaceTeacher(folder)
    done = embed_on_devices(teacher, TEXTS, tmp_path, devices=1, accelerator="cpu", chunk_texts=4, progress=False)
    assert done is not None
    assert (done.embedded, done.present) == (6, 0)
    assert 0 < done.coding_error < 1e-5
    assert_same(tmp_path, expected)
    again = embed_on_devices(teacher, TEXTS, tmp_path, devices=1, accelerator="cpu", progress=False)
    assert again is not None
    assert (again.embedded, again.present) == (0, 6)


def test_what_a_stopped_run_left_in_its_parts_is_taken_over(folder: Path, expected: Path, tmp_path: Path) -> None:
    teacher = HuggingFaceTeacher(folder)
    for rank, texts in enumerate((TEXTS[:2], TEXTS[1:3])):
        part = StoreWriter(tmp_path / PARTS / str(rank), identity=teacher.identity, width=teacher.width, causal=False)
        with part:
            for text, vectors in zip(texts, teacher.embed(texts), strict=True):
                part.put(text, vectors)
    done = embed_on_devices(teacher, TEXTS, tmp_path, devices=1, accelerator="cpu", progress=False)
    assert done is not None
    assert (done.embedded, done.present) == (3, 3)
    assert_same(tmp_path, expected)


def test_two_processes_share_the_texts(folder: Path, expected: Path, tmp_path: Path) -> None:
    script = tmp_path / "embed.py"
    script.write_text(TWO_PROCESSES)
    done = subprocess.run(
        [sys.executable, str(script), str(folder), str(tmp_path / "store"), *TEXTS],
        env={**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "6 embedded" in done.stdout
    assert_same(tmp_path / "store", expected)


def test_devices_that_are_not_there_are_refused_before_anything_is_loaded_twice(folder: Path, tmp_path: Path) -> None:
    teacher = HuggingFaceTeacher(folder)
    with pytest.raises(ConfigError, match="`devices` must be 1 or more"):
        embed_on_devices(teacher, TEXTS, tmp_path, devices=0, accelerator="cpu")
    with pytest.raises(ConfigError, match="`devices` must be at hand, but 2 of 'warp' are not"):
        embed_on_devices(teacher, TEXTS, tmp_path, devices=2, accelerator="warp")
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="`devices` must be at hand"):
            embed_on_devices(teacher, TEXTS, tmp_path, devices=2, accelerator="gpu")
    with pytest.raises(ConfigError, match=r"must have `to\(device\)`"):
        embed_on_devices(CharacterTeacher(), TEXTS, tmp_path, devices=2, accelerator="cpu")
