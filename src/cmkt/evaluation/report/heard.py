"""What a recogniser understood beside what was said, word by word, with the errors marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from cmkt.metrics.word_errors import Operation, align
from cmkt.text.spoken import spoken_units


@final
@dataclass(frozen=True, slots=True)
class Piece:
    """Some words in a row: `said` and `heard` are equal, or one is the error of the other; "" where there are none."""

    kind: Operation
    said: str
    heard: str


def marked(said: str, heard: str) -> list[Piece]:
    """The pieces in order, as word errors are counted: `cmkt.metrics.word_errors`.

    Raises: MissingExtraError where `jiwer` is not installed.
    """
    pieces: list[Piece] = []
    for step in align(said=spoken_units(said), heard=spoken_units(heard)):
        before = pieces.pop() if pieces and pieces[-1].kind == step.operation else Piece(step.operation, "", "")
        pieces.append(
            Piece(
                step.operation,
                f"{before.said} {step.said or ''}".strip(),
                f"{before.heard} {step.heard or ''}".strip(),
            )
        )
    return pieces
