"""Closed-set sentence identification: is the sentence that was said the likeliest of a few?

Matrix sentence tests of audiology ask listeners to choose the sentence they heard from a closed set (Hagerman,
Sentences for Testing Speech Intelligibility in Noise, 1982; Kollmeier et al., The Multilingual Matrix Test, 2015). Here
a recogniser chooses: the true transcript competes with others by forced-alignment likelihood. Unlike the word error
rate of a weak recogniser, which is near 1 in any noise, it spans its range between chance and 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from cmkt.errors import ConfigError

IDENTIFIED: Final = "identified"
MARGIN: Final = "word_margin"


@final
@dataclass(frozen=True, slots=True)
class Identification:
    """identified: 1 or 0, its mean is the rate, higher is better, and chance is 1 / (1 + other sentences).

    margin: log-likelihood of the true sentence minus that of the likeliest other, in nats for each word of the true
    one: above 0 where it is identified, unbounded, higher is better; None where either cannot be aligned.
    """

    identified: int
    margin: float | None


def identify(true: float | None, best_other: float | None, *, words: int) -> Identification:
    """The outcome for the log-likelihoods in nats of the true sentence, of `words` words, and of the likeliest other.

    None stands for a sentence that cannot be aligned: it loses. A tie, and where neither can be, is not identified.

    Raises: ConfigError where there is no word.

    >>> identify(-100.0, -150.0, words=5)
    Identification(identified=1, margin=10.0)
    """
    if words < 1:
        raise ConfigError(f"`words` must be at least 1, but is {words}.")
    if true is None or best_other is None:
        return Identification(int(true is not None), None)
    return Identification(int(true > best_other), (true - best_other) / words)


def chance(others: int) -> float:
    """The rate of guessing among the true sentence and so many others, 0 to 1."""
    return 1 / (1 + others)
