"""The baseline of a language model: a character trigram with modified Kneser-Ney smoothing, interpolated.

Reference: Chen and Goodman 1998, An empirical study of smoothing techniques for language modeling, technical report
TR-10-98 of Harvard University, section 3, whose equation numbers are meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from cmkt.text.language.tokenizer import BEGIN_ID

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cmkt.text.language.sequences import Sequences

    Ids = NDArray[np.int64]
    Values = NDArray[np.float64]


@final
class Trigram:
    """P(character | the two before it), from counts.

    sequences: what to count. vocabulary_size: V, how many tokens there are; each has a probability above zero.
    """

    def __init__(self, sequences: Sequences, *, vocabulary_size: int) -> None:
        first, second, third = contexts(sequences)
        self.vocabulary_size = vocabulary_size
        trigrams, counts = np.unique((first << 32) | (second << 16) | third, return_counts=True)
        self._trigrams = _Order.of(trigrams, counts)
        # A bigram counts as often as characters precede it; at the start of a line, where nothing can, as it occurs.
        bigrams, kinds = np.unique(trigrams & 0xFFFF_FFFF, return_counts=True)
        begins = bigrams >> 16 == BEGIN_ID
        occurs = second == BEGIN_ID
        kinds[begins] = np.unique((second[occurs] << 16) | third[occurs], return_counts=True)[1]
        self._bigrams = _Order.of(bigrams, kinds)
        unigrams, kinds = np.unique(bigrams & 0xFFFF, return_counts=True)
        self._unigram = _unigram(unigrams, kinds, vocabulary_size)

    def probability(self, first: Ids | np.int64, second: Ids | np.int64, third: Ids | np.int64) -> Values:
        """P(third | first second), of numbers that broadcast."""
        first, second, third = np.broadcast_arrays(first, second, third)
        lower = self._bigrams.interpolated((second << 16) | third, self._unigram[third])
        return self._trigrams.interpolated((first << 32) | (second << 16) | third, lower)

    def perplexity(self, sequences: Sequences) -> float:
        """exp of the mean negative log likelihood (nats) of every character and line end."""
        return float(np.exp(-np.log(self.probability(*contexts(sequences))).mean()))


@dataclass(frozen=True, slots=True)
class _Order:
    """The n-grams of one order. discounted: count minus discount over the context's count; weight: what of each context
    is left to the lower order. Sorted by key, so that one context is one stretch."""

    keys: Ids
    discounted: Values
    contexts: Ids
    weight: Values

    @classmethod
    def of(cls, keys: Ids, counts: Ids) -> _Order:
        """From sorted n-grams and how often each counts."""
        discount = discounts(counts)[np.minimum(counts, 3)]
        contexts, starts = np.unique(keys >> 16, return_index=True)
        totals = np.add.reduceat(counts, starts)
        spread = np.repeat(totals, np.diff([*starts, keys.size]))
        weight = np.add.reduceat(np.minimum(discount, counts), starts) / totals
        return cls(keys, np.maximum(counts - discount, 0) / spread, contexts, weight)

    def interpolated(self, keys: Ids, lower: Values) -> Values:
        """The probability of each n-gram, where the order below gives `lower`."""
        own = _looked_up(self.keys, self.discounted, keys, absent=0.0)
        return own + _looked_up(self.contexts, self.weight, keys >> 16, absent=1.0) * lower


def contexts(sequences: Sequences) -> tuple[Ids, Ids, Ids]:
    """Every token but [BOS] with the two before it, the line padded with one more [BOS]: three arrays."""
    ids = sequences.ids.astype(np.int64)
    begins = np.zeros(ids.size, dtype=bool)
    begins[sequences.starts[:-1]] = True
    second = np.roll(ids, 1)
    first = np.where(np.roll(begins, 1), BEGIN_ID, np.roll(ids, 2))
    return first[~begins], second[~begins], ids[~begins]


def discounts(counts: Ids) -> Values:
    """What to take from counts of 0, 1, 2, and 3 or more (equation 26); half of it all where counts are too few."""
    n1, n2, n3, n4 = (int((counts == n).sum()) for n in (1, 2, 3, 4))
    if 0 in (n1, n2, n3):
        return np.array([0.0, 0.5, 0.5, 0.5])
    y = n1 / (n1 + 2 * n2)
    found = np.array([0.0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
    clipped: Values = np.clip(found, 0.0, [0.0, 1.0, 2.0, 3.0])
    return clipped


def _unigram(tokens: Ids, counts: Ids, vocabulary_size: int) -> Values:
    """(V,) Kneser-Ney's lowest order, interpolated with equal shares."""
    discount = discounts(counts)[np.minimum(counts, 3)]
    probability = np.full(vocabulary_size, discount.sum() / counts.sum() / vocabulary_size)
    probability[tokens] += (counts - discount) / counts.sum()
    return probability


def _looked_up(keys: Ids, values: Values, wanted: Ids, *, absent: float) -> Values:
    places = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
    return np.where(keys[places] == wanted, values[places], absent)
