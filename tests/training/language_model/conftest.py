"""Text of a small made-up language, and settings that learn it in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cmkt.training.language_model.settings import Settings

WORDS = ("pato", "keli", "sumo", "nira", "tobe", "gufi")
SMALL = Settings(
    max_tokens=40,
    min_count=1,
    held_out_share=0.2,
    width=32,
    layers=1,
    heads=2,
    intermediate=48,
    softmax_characters=6,
    batch_tokens=320,
    decoder_epochs=3,
    encoder_epochs=3,
    learning_rate=1e-2,
)


def sentences(count: int, seed: int) -> list[str]:
    """Different sentences of six words, of which the fourth repeats the first: further back than a trigram sees."""
    rng = np.random.default_rng(seed)
    drawn: dict[str, None] = {}
    while len(drawn) < count:
        words = [WORDS[place] for place in rng.integers(len(WORDS), size=6)]
        words[3] = words[0]
        drawn[" ".join(words)] = None
    return list(drawn)


@pytest.fixture(scope="session")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "made.txt"
    path.write_text("\n".join(sentences(900, seed=0)) + "\n", encoding="utf-8")
    return path
