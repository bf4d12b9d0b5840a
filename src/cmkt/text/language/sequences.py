"""Lines as numbers, many in one array."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from cmkt.text.language.tokenizer import BEGIN_ID, END_ID, UNKNOWN_ID

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_TOKENS: Final = 2**16


@dataclass(frozen=True, slots=True)
class Sequences:
    """Lines one after the other. ids: (T,) uint16, [BOS] and [EOS] around each line; starts: (L + 1,) int64, where each
    begins, and T at the end."""

    ids: NDArray[np.uint16]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return self.starts.size - 1

    def __getitem__(self, index: int) -> NDArray[np.uint16]:
        """The tokens of one line, special ones included."""
        return self.ids[self.starts[index] : self.starts[index + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(L,) tokens of each line, special ones included."""
        return np.diff(self.starts)

    def chosen(self, chosen: Sequence[int] | NDArray[np.integer]) -> Sequences:
        """The lines of these indices."""
        parts = [self[int(index)] for index in chosen]
        starts = np.cumsum([0, *(part.size for part in parts)], dtype=np.int64)
        return Sequences(np.concatenate(parts) if parts else self.ids[:0], starts)


def numbered(lines: Iterable[str], vocabulary: Sequence[str]) -> Sequences:
    """The lines in the numbers of a character vocabulary, which has fewer than 65,536 tokens."""
    place = {token: number for number, token in enumerate(vocabulary)}
    rows = [[BEGIN_ID, *(place.get(each, UNKNOWN_ID) for each in line), END_ID] for line in lines]
    starts = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    return Sequences(np.fromiter((token for row in rows for token in row), np.uint16, count=int(starts[-1])), starts)
