from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from cmkt.text.language.sequences import Sequences, numbered
from cmkt.text.language.tokenizer import SPECIAL
from cmkt.text.language.trigram import Trigram, contexts, discounts

VOCABULARY = [*SPECIAL, *"abcdef"]


def text(lines: int = 300, seed: int = 0) -> Sequences:
    """Lines in which `b` follows `a` and all else is even."""
    rng = np.random.default_rng(seed)
    drawn = ["".join(rng.choice(list("acdef"), size=6)).replace("a", "ab") for _ in range(lines)]
    return numbered(drawn, VOCABULARY)


def test_contexts_begin_anew_in_every_line() -> None:
    first, second, third = contexts(numbered(["ab", "c"], VOCABULARY))
    assert list(zip(first.tolist(), second.tolist(), third.tolist(), strict=True)) == [
        (2, 2, 5),
        (2, 5, 6),
        (5, 6, 3),
        (2, 2, 7),
        (2, 7, 3),
    ]


def test_probabilities_sum_to_one_in_contexts_that_were_and_were_not_seen() -> None:
    trigram = Trigram(text(), vocabulary_size=len(VOCABULARY))
    every = np.arange(len(VOCABULARY))
    for first, second in [(2, 2), (2, 5), (5, 6), (10, 10), (6, 5), (4, 4)]:
        found = trigram.probability(np.int64(first), np.int64(second), every)
        assert found.sum() == pytest.approx(1)
        assert (found > 0).all()


def test_it_is_interpolated_kneser_ney_by_hand() -> None:
    """aab, ab: too few counts for discounts of their own, so that each is a half."""
    trigram = Trigram(numbered(["aab", "ab"], VOCABULARY), vocabulary_size=len(VOCABULARY))
    a, b, end = 5, 6, 3
    # Bigram types: Ba (a line's start, which counts as it occurs: 2), aa 1, ab 1 + 1 (after B, after a), b] 1.
    # Unigram: of the types Ba aa ab b], a 2, b 1, ] 1 of 4; three types give away 3/2 of 4, 1/11 of it to each token.
    unigram_b = 0.5 / 4 + 1.5 / 4 / 11
    # After a: aa 1, ab 2, of 3; two types give away 1 of 3.
    bigram_ab = 1.5 / 3 + 1 / 3 * unigram_b
    # After aa: aab once, half is kept.
    assert trigram.probability(np.int64(a), np.int64(a), np.array([b]))[0] == pytest.approx(0.5 + 0.5 * bigram_ab)
    assert trigram.probability(np.int64(b), np.int64(b), np.array([end]))[0] > 0


def test_discounts_are_those_of_chen_and_goodman() -> None:
    counts = np.repeat([1, 2, 3, 4], [100, 40, 20, 10])
    y = 100 / 180
    assert discounts(counts).tolist() == pytest.approx([0, 1 - 2 * y * 0.4, 2 - 3 * y * 0.5, 3 - 4 * y * 0.5])


def test_it_learns_what_follows_and_beats_even_guessing() -> None:
    trigram = Trigram(text(), vocabulary_size=len(VOCABULARY))
    assert trigram.probability(np.int64(7), np.int64(5), np.array([6]))[0] > 0.95
    # A line is six draws of five letters, 6 ln 5 nats. Who cannot count to six must also guess the end: 7 ln 6 nats.
    unseen = text(seed=1)
    lines_per_token = len(unseen) / (unseen.ids.size - len(unseen))
    assert 6 * math.log(5) < math.log(trigram.perplexity(unseen)) / lines_per_token < 1.02 * 7 * math.log(6)


def test_counts_agree_with_a_plain_count() -> None:
    sequences = text(40)
    lines = ["".join(map(chr, sequences[index])) for index in range(len(sequences))]
    plain = Counter(chr(2) + line for line in lines)
    assert len(plain) <= 40
    pairs = Counter(
        padded[place : place + 3] for padded in map((chr(2) + "{}").format, lines) for place in range(len(padded) - 2)
    )
    found = Counter(map("".join, zip(*(map(chr, part.tolist()) for part in contexts(sequences)), strict=True)))
    assert found == pairs
