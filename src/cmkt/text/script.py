"""Which script a text is written in, by the Unicode names of its letters."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

HAN: Final = "CJK"
"""The name that Unicode gives the characters of Chinese, which Japanese uses among others."""


@lru_cache(maxsize=65536)
def script_of(character: str) -> str | None:
    """The script of a letter, such as "LATIN", "CYRILLIC" or "CJK"; None for anything that is not a letter.

    >>> script_of("é"), script_of("今"), script_of("7")
    ('LATIN', 'CJK', None)
    """
    if unicodedata.category(character)[0] != "L":
        return None
    return unicodedata.name(character, "UNKNOWN").split()[0].partition("-")[0]


def scripts(texts: Iterable[str]) -> Counter[str]:
    """How many letters of each script the texts hold."""
    found: Counter[str] = Counter()
    for text in texts:
        for each, count in Counter(text).items():
            script = script_of(each)
            if script is not None:
                found[script] += count
    return found
