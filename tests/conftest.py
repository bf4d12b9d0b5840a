"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The real speech corpus, named by CMKT_CORPUS or beside the checkout; the test is skipped where it is absent."""
    folder = Path(os.environ.get("CMKT_CORPUS", ROOT.parent / "shared" / "corpus"))
    if not (folder / "speech.test.jsonl").is_file():
        pytest.skip(f"needs the real corpus: no speech.test.jsonl in {folder}; set CMKT_CORPUS to its folder")
    return folder
