"""Masked accuracy, and the baseline that knows two characters on either side of the gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cmkt.text.language.sequences import Sequences
    from cmkt.text.language.trigram import Trigram

MASK_EVERY: Final = 8
"""Tokens from one gap to the next in a line, so that two characters on either side can always be read."""


def gaps(sequences: Sequences, *, seed: int = 0, most: int | None = None) -> NDArray[np.int64]:
    """Places in `sequences.ids` to be predicted, every eighth character of each line from a drawn one on; (G,) sorted.

    most: of so many, drawn among all.
    """
    rng = np.random.default_rng(seed)
    places: list[NDArray[np.int64]] = []
    for start, length in zip(sequences.starts[:-1], sequences.lengths, strict=True):
        first = 1 + int(rng.integers(MASK_EVERY))
        places.append(np.arange(start + first, start + length - 1, MASK_EVERY, dtype=np.int64))
    found = np.concatenate(places)
    return found if most is None or found.size <= most else np.sort(rng.choice(found, size=most, replace=False))


def both_sided_accuracy(trigram: Trigram, sequences: Sequences, places: NDArray[np.int64]) -> float:
    """How often the most probable character of a gap is the right one, for a trigram that sees two on either side.

    P(c | a b _ d e) is proportional to P(c | a b) P(d | b c) P(e | c d): the trigram's own posterior.
    """
    ids = np.concatenate([sequences.ids.astype(np.int64), [0, 0]])
    starts = set(sequences.starts.tolist())
    every = np.arange(trigram.vocabulary_size, dtype=np.int64)
    right = 0
    for place in places.tolist():
        before = ids[place - 1]
        earlier = before if place - 1 in starts else ids[place - 2]
        score = trigram.probability(earlier, before, every) * trigram.probability(before, every, ids[place + 1])
        if place + 2 not in starts:
            score *= trigram.probability(every, ids[place + 1], ids[place + 2])
        right += int(score.argmax()) == ids[place]
    return right / max(1, places.size)
