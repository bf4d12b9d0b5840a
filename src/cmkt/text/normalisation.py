"""How a transcript is written before a language model reads it.

Corpora write transcripts in capitals (LibriSpeech: "IT IS SO SAID THE CAT"). A cased language model saw almost none of
that in its training, so its vectors of such text mean little; what it did see is sentence case.
"""

from __future__ import annotations

import unicodedata

NORMALISATION_VERSION = 1
"""Part of every teacher's identity: raise it whenever `normalise` gives another string for the same text."""


def tidy(text: str) -> str:
    """The text in Unicode NFC, outer white space removed, inner white space collapsed to one space; case is kept."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def normalise(text: str, *, lowercase: bool) -> str:
    """The text as the teacher should read it, which may be empty.

    lowercase: the teacher knows no capitals. Otherwise a text without any mixture of case (all capitals, or none)
    becomes sentence case; a text that already mixes both is someone's deliberate spelling and is kept.

    >>> normalise(" IT IS  SO SAID THE CAT ", lowercase=False)
    'It is so said the cat'
    """
    tidied = tidy(text)
    if lowercase:
        return tidied.lower()
    has_mixed_case = tidied not in (tidied.upper(), tidied.lower())
    return tidied if has_mixed_case else _sentence_case(tidied)


def _sentence_case(text: str) -> str:
    lowered = text.lower()
    first = next((index for index, character in enumerate(lowered) if character.isalpha()), None)
    if first is None:
        return lowered
    return lowered[:first] + lowered[first].upper() + lowered[first + 1 :]
