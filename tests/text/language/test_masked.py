from __future__ import annotations

import numpy as np

from cmkt.text.language.masked import MASK_EVERY, both_sided_accuracy, gaps
from cmkt.text.language.sequences import numbered
from cmkt.text.language.tokenizer import SPECIAL
from cmkt.text.language.trigram import Trigram

VOCABULARY = [*SPECIAL, *"abcdefgh"]


def test_gaps_are_characters_that_stand_apart() -> None:
    sequences = numbered(["abcdefgh" * 4, "a", "abcdefgh" * 2], VOCABULARY)
    places = gaps(sequences, seed=3)
    assert (sequences.ids[places] >= len(SPECIAL)).all()
    assert (np.diff(places) >= 2).all()
    inside = places[places < sequences.starts[1]]
    assert (np.diff(inside) == MASK_EVERY).all()
    assert gaps(sequences, seed=3, most=2).size == 2
    assert set(gaps(sequences, seed=3, most=2)) <= set(places)


def test_what_stands_after_a_gap_counts_as_what_stands_before() -> None:
    """x c x and x d x alike before the gap, but e follows c and f follows d."""
    rng = np.random.default_rng(0)
    lines = ["".join(rng.choice(["gce", "gdf"], size=9)) for _ in range(200)]
    sequences = numbered(lines, VOCABULARY)
    trigram = Trigram(sequences, vocabulary_size=len(VOCABULARY))
    wanted = np.flatnonzero(np.isin(sequences.ids, [7, 8]))[::9]
    assert both_sided_accuracy(trigram, sequences, wanted) == 1.0


def test_the_ends_of_lines_are_no_gaps_in_knowledge() -> None:
    sequences = numbered(["ab"] * 50 + ["cd"] * 50, VOCABULARY)
    trigram = Trigram(sequences, vocabulary_size=len(VOCABULARY))
    places = np.flatnonzero(sequences.ids >= len(SPECIAL))
    assert both_sided_accuracy(trigram, sequences, places) == 1.0
