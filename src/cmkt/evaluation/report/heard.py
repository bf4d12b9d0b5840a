"""What a recogniser understood beside what was said, word by word, with the errors marked."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, final

from cmkt.text.spoken import spoken_words


@final
@dataclass(frozen=True, slots=True)
class Piece:
    """Some words in a row: `said` and `heard` are equal, or one is the error of the other; "" where there are none."""

    kind: Literal["equal", "substitute", "delete", "insert"]
    said: str
    heard: str


def marked(said: str, heard: str) -> list[Piece]:
    """The pieces in order, after the normalisation by which word errors are counted."""
    first, second = spoken_words(said), spoken_words(heard)
    kinds = {"equal": "equal", "replace": "substitute", "delete": "delete", "insert": "insert"}
    codes = SequenceMatcher(None, first, second, autojunk=False).get_opcodes()
    return [Piece(kinds[code], " ".join(first[a:b]), " ".join(second[c:d])) for code, a, b, c, d in codes]  # type: ignore[arg-type]
