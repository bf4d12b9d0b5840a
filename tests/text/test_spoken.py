from __future__ import annotations

import pytest

from cmkt.text.spoken import spoken_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("THEY MUST HAVE DONE IT", "they must have done it"),
        ("Don't go - it’s well-known.", "don't go it's well known"),
        ("'Quoted' dogs' 'tis", "quoted dogs tis"),
        ("12 o'clock", "12 o'clock"),
        ("a_b", "a b"),
        ("  ", ""),
        ("...", ""),
        ("今天", "今天"),
    ],
)
def test_words_are_lower_case_without_punctuation(text: str, words: str) -> None:
    assert " ".join(spoken_words(text)) == words
