from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from cmkt.errors import ConfigError
from cmkt.evaluation.attention_map import AttentionMap
from cmkt.evaluation.attention_picture import attention_picture

RATE = 8000
AUDIO = 0.1 * np.sin(2 * np.pi * 500 * np.arange(2 * RATE) / RATE)


def diagonal(*tokens: str, frames: int = 40) -> AttentionMap:
    """Each token read from its own stretch of time."""
    weights = np.zeros((len(tokens), frames))
    for row, part in enumerate(np.array_split(np.arange(frames), len(tokens))):
        weights[row, part] = 1 / len(part)
    return AttentionMap(weights, tokens)


def pixels(path: Path) -> np.ndarray:
    return np.asarray(matplotlib.image.imread(path))


def draw(path: Path, *maps: AttentionMap, title: str = "") -> np.ndarray:
    named = {f"layer {place}": each for place, each in enumerate(maps)}
    attention_picture(path, named, audio=AUDIO, sample_rate=RATE, title=title)
    return pixels(path)


def test_the_picture_grows_with_tokens_and_with_maps(tmp_path: Path) -> None:
    words = ["it", "is", "so", "said", "the", "cat", "and", "then", "they", "went", "home", "again"]
    one, longer, two = (
        draw(tmp_path / f"{place}.png", *maps)
        for place, maps in enumerate(
            [[diagonal("a", "b", "c")], [diagonal(*words)], [diagonal(*words), diagonal(*words)]]
        )
    )
    assert one.shape[0] < longer.shape[0] < two.shape[0]
    assert one.shape[1] == two.shape[1]


def test_brightness_follows_the_weights(tmp_path: Path) -> None:
    """The same map backwards in time is another picture, and of one token only its own stretch is bright."""
    there = draw(tmp_path / "there.png", diagonal("a", "b"))
    back = draw(tmp_path / "back.png", AttentionMap(diagonal("a", "b").weights[:, ::-1], ("a", "b")))
    assert there.shape == back.shape
    assert np.abs(there - back).max() > 0.5


def test_a_token_that_was_not_asked_for_has_no_colour(tmp_path: Path) -> None:
    asked = diagonal("a", "b")
    weights = asked.weights.copy()
    weights[0] = 0
    shifted = draw(tmp_path / "shifted.png", AttentionMap(weights, asked.tokens))
    white = (shifted[..., :3] == 1).all(axis=-1)
    whole = (draw(tmp_path / "whole.png", asked)[..., :3] == 1).all(axis=-1)
    assert white.sum() > whole.sum() + 10_000


def test_tokens_of_a_script_without_a_font_and_signs_of_formulas_are_drawn(tmp_path: Path) -> None:
    """Where fonts lack the characters, matplotlib would warn, which is an error here."""
    draw(tmp_path / "zh.png", diagonal("今", "天", "\U0001f600"), title="今天 $x$ $")
    draw(tmp_path / "formula.png", diagonal("$x", "_{", "##ing"))


def test_no_map_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least one map"):
        attention_picture(tmp_path / "none.png", {}, audio=AUDIO, sample_rate=RATE)
    assert not (tmp_path / "none.png").exists()
