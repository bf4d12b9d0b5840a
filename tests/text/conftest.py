"""Tiny language models on disk, a teacher that needs none, and a way to run code in a process that may be killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from cmkt.testing.tiny_models import save_tiny_bert, save_tiny_llama, save_tiny_qwen, save_tiny_roberta


class CountingTeacher:
    """Vectors that depend on the text alone; it remembers what it was asked."""

    def __init__(self, *, width: int = 8, identity: str = "counting") -> None:
        self.width = width
        self.identity = identity
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> list[Tensor]:
        self.asked.extend(texts)
        return [counting_vectors(text, self.width) for text in texts]


def counting_vectors(text: str, width: int = 8) -> Tensor:
    """One vector a word."""
    words = len(text.split())
    generator = torch.Generator().manual_seed(sum(text.encode()) % 1000)
    return torch.randn(words, width, generator=generator)


@pytest.fixture
def counting() -> Callable[..., CountingTeacher]:
    return CountingTeacher


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="session")
def tiny_roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_roberta(tmp_path_factory.mktemp("roberta"))


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="session")
def tiny_qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_qwen(tmp_path_factory.mktemp("qwen"))


@pytest.fixture(scope="session", params=["bert", "roberta", "llama", "qwen"])
def tiny_model(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(f"tiny_{request.param}")
    return folder


@pytest.fixture
def start() -> Callable[..., subprocess.Popen[str]]:
    """Starts Python on a piece of code in its own process."""

    def start_process(code: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    return start_process
