"""Characters in place of a language model: what text supervision knows without any LM, for the control `CTC`.

The units are the UTF-8 bytes of the normalised text: for English the letters themselves, for every other script a few
bytes a character (Li et al. 2019, "Bytes are all you need"), so that one set of 256 classes serves all languages and
nothing has to be collected from a corpus first.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor
from torch.nn import functional

from cmkt.text.punctuation import words_without_punctuation

CLASSES = 256
CHARACTERS_VERSION = 1
"""Part of the identity: raise it whenever `spoken_characters` gives another string for the same text."""

_APOSTROPHES = str.maketrans(dict.fromkeys("’ʼ＇`´", "'"))


def spoken_characters(text: str) -> str:
    """What of a text is spoken: letters and numbers without case or accents of width, apostrophes inside words, and
    single spaces for all the rest. It may be empty.

    >>> spoken_characters("“Don’t!”  SAID the Ｃａｔ, 3 times.")
    "don't said the cat 3 times"
    """
    folded = unicodedata.normalize("NFKC", text.translate(_APOSTROPHES)).casefold()
    return " ".join(words_without_punctuation(folded))


@final
class CharacterTeacher:
    """A teacher whose vectors are one-hot bytes (N, 256) of the spoken characters. No language model is behind it."""

    width = CLASSES
    identity = f"characters-{CHARACTERS_VERSION}"
    causal = True
    one_hot = True

    def embed(self, texts: Sequence[str]) -> list[Tensor]:
        """One (N_i, 256) float32 tensor for each text, a single one in every row; N_i is 0 where nothing is spoken."""
        return [_one_hot(spoken_characters(text)) for text in texts]


def _one_hot(characters: str) -> Tensor:
    numbers = torch.tensor(list(characters.encode()), dtype=torch.int64)
    return functional.one_hot(numbers, CLASSES).float()
