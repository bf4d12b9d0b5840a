"""A transcript as the words that a recogniser's dictionary knows: lower case, no punctuation."""

from __future__ import annotations

import re

from cmkt.text.normalisation import tidy

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def spoken_words(text: str) -> tuple[str, ...]:
    """The words of a text, in order: lower case, with inner apostrophes, without hyphens and punctuation.

    Digits stay as they are: how a number was read aloud is not in the text, and no dictionary has them.

    >>> spoken_words("Don't go - it’s TWENTY-ONE past 'nine', dogs' barking.")
    ("don't", 'go', "it's", 'twenty', 'one', 'past', 'nine', 'dogs', 'barking')
    """
    return tuple(_WORD.findall(tidy(text).lower().replace("\u2019", "'")))
