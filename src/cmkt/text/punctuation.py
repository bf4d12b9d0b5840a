"""What of a written text can be heard: words, without punctuation and signs."""

from __future__ import annotations

import unicodedata

KEPT = "LNM"
"""Unicode's classes of letters, numbers and marks, which belong to letters in many scripts."""


def words_without_punctuation(text: str) -> list[str]:
    """What stands between spaces and signs, with inner apostrophes.

    >>> words_without_punctuation("it's - 'so', 4.5%")
    ["it's", 'so', '4', '5']
    """
    kept = "".join(each if each == "'" or unicodedata.category(each)[0] in KEPT else " " for each in text)
    return [word for each in kept.split() if (word := each.strip("'"))]
