from __future__ import annotations

import pytest

from cmkt.text.punctuation import words_without_punctuation


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("don't - 'go', dogs' barking", ["don't", "go", "dogs", "barking"]),
        ("4.5% of a_b", ["4", "5", "of", "a", "b"]),
        ("हिन्दी, 今天。", ["हिन्दी", "今天"]),  # vowel signs are marks
        ("' -- '", []),
        ("", []),
    ],
)
def test_words_keep_inner_apostrophes_and_marks_and_nothing_else(text: str, words: list[str]) -> None:
    assert words_without_punctuation(text) == words
