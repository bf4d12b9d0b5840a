"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Before torch is imported: processes with as many threads as cores each take twelve times as long on two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The real speech corpus, named by CMKT_CORPUS or beside the checkout; the test is skipped where it is absent."""
    folder = Path(os.environ.get("CMKT_CORPUS", ROOT.parent / "shared" / "corpus"))
    if not (folder / "speech.test.jsonl").is_file():
        pytest.skip(f"needs the real corpus: no speech.test.jsonl in {folder}; set CMKT_CORPUS to its folder")
    return folder


@pytest.fixture(scope="session")
def tiny_mandarin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a package like `cmkt_mandarin_lm`: both models, tiny and untrained, that know a few characters."""
    torch = pytest.importorskip("torch")
    from cmkt.text.language.tokenizer import character_tokenizer, character_vocabulary
    from cmkt.training.language_model.models import build_decoder, build_encoder
    from cmkt.training.language_model.settings import Settings

    folder = tmp_path_factory.mktemp("packages")
    package = folder / "cmkt_mandarin_lm"
    package.mkdir()
    (package / "__init__.py").touch()
    settings = Settings(width=16, layers=1, heads=2, intermediate=24, max_tokens=64)
    vocabulary = character_vocabulary(["今天天气很好", "打开空调", "我们去公园散步"], min_count=1)
    table = 0.02 * torch.randn(len(vocabulary), settings.width, generator=torch.Generator().manual_seed(0))
    decoder = build_decoder(settings, vocabulary_size=len(vocabulary), embeddings=table)
    for name, model in {"decoder": decoder, "encoder": build_encoder(settings, decoder)}.items():
        model.half().save_pretrained(package / name)  # type: ignore[operator]
        character_tokenizer(vocabulary, max_tokens=settings.max_tokens).save_pretrained(package / name)
    return folder


@pytest.fixture
def mandarin_package(tiny_mandarin: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, installed for one test."""
    monkeypatch.syspath_prepend(tiny_mandarin)
    return tiny_mandarin / "cmkt_mandarin_lm"
