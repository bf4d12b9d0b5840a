"""How a transcript is written before a language model reads it.

Corpora write transcripts in capitals (LibriSpeech: "IT IS SO SAID THE CAT"). A cased language model saw almost none of
that in its training, so its vectors of such text mean little; what it did see is sentence case. Other texts hold digits
and punctuation, of which nothing is heard as it is written: `spoken` writes what is said.
"""

from __future__ import annotations

import unicodedata

from cmkt.text.english_numbers import english_numbers
from cmkt.text.hanzi_numbers import hanzi_numbers
from cmkt.text.punctuation import words_without_punctuation
from cmkt.text.unspaced import has_unspaced

NORMALISATION_VERSION = 1
"""Part of every teacher's identity: raise it whenever `normalise` gives another string for the same text."""


def tidy(text: str) -> str:
    """The text in Unicode NFC, outer white space removed, inner white space collapsed to one space; case is kept."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def normalise(text: str, *, lowercase: bool, spoken: bool = False) -> str:
    """The text as the teacher should read it, which may be empty.

    spoken: without punctuation and signs, and numbers in words, English ones or, beside Hanzi, in Hanzi.
    lowercase: the teacher knows no capitals. Otherwise a text without any mixture of case (all capitals, or none)
    becomes sentence case; a text that already mixes both is someone's deliberate spelling and is kept.

    >>> normalise(" IT IS  SO SAID THE CAT ", lowercase=False)
    'It is so said the cat'
    >>> normalise("Well - it's 21, isn't it?", lowercase=False, spoken=True)
    "Well it's twenty one isn't it"
    """
    tidied = tidy(text)
    read = as_said(tidied) if spoken else tidied
    if lowercase:
        return read.lower()
    has_mixed_case = tidied not in (tidied.upper(), tidied.lower())
    return read if has_mixed_case else _sentence_case(read)


def as_said(text: str) -> str:
    """Numbers in words; letters, their marks, apostrophes inside words, and spaces for all the rest."""
    worded = hanzi_numbers(text) if has_unspaced(text) else english_numbers(text)
    return " ".join(words_without_punctuation(worded.replace("\u2019", "'")))


def _sentence_case(text: str) -> str:
    lowered = text.lower()
    first = next((index for index, character in enumerate(lowered) if character.isalpha()), None)
    if first is None:
        return lowered
    return lowered[:first] + lowered[first].upper() + lowered[first + 1 :]
