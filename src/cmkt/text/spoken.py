"""A text as what was said, for comparing it with what was heard: lower case, no punctuation."""

from __future__ import annotations

import re
from typing import Final

from cmkt.text.normalisation import tidy
from cmkt.text.punctuation import words_without_punctuation
from cmkt.text.unspaced import UNSPACED

SPOKEN_VERSION: Final = 1
"""Raise it whenever any of these functions gives something else for the same text."""

GAP: Final = "_"
"""The space between two words among letters; no word has this character."""

_UNSPACED: Final = re.compile(UNSPACED)


def spoken_words(text: str) -> tuple[str, ...]:
    """The words of a text, in order: lower case, with inner apostrophes, without hyphens and punctuation.

    Digits stay as they are: how a number was read aloud is not in the text, and no dictionary has them.

    >>> spoken_words("Don't go - it’s TWENTY-ONE past 'nine', dogs' barking.")
    ("don't", 'go', "it's", 'twenty', 'one', 'past', 'nine', 'dogs', 'barking')
    """
    return tuple(words_without_punctuation(tidy(text).lower().replace("\u2019", "'")))


def spoken_units(text: str) -> tuple[str, ...]:
    """What a recogniser's errors are counted in: words, and each character where a script has no spaces between words.

    So word errors of Chinese and Japanese are character errors, as is usual, and mixed text has a rate too.

    >>> spoken_units("今天 GitHub 很慢。")
    ('今', '天', 'github', '很', '慢')
    """
    spaced = _UNSPACED.sub(lambda found: f" {found.group()} ", " ".join(spoken_words(text)))
    return tuple(spaced.split())


def spoken_letters(text: str) -> tuple[str, ...]:
    """The characters of a text, with one `GAP` between words, but none beside a character of an unspaced script.

    >>> "".join(spoken_letters("Don't go, 今 天 GitHub!"))
    "don't_go今天github"
    """
    letters: list[str] = []
    after_unspaced = True
    for unit in spoken_units(text):
        unspaced = _UNSPACED.match(unit) is not None
        if not (unspaced or after_unspaced):
            letters.append(GAP)
        letters.extend(unit)
        after_unspaced = unspaced
    return tuple(letters)
