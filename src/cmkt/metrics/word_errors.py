"""Word errors: how many words said were heard as another, or not at all, and how many were heard that nobody said.

The fewest substitutions, deletions and insertions that make of what was said what was heard (Levenshtein 1966), by
jiwer. With N = E + S + D said, P = E + S + I heard and E equal:

    rate               (S + D + I) / N        0 is best, above 1 where more is heard than was said; of characters: CER
    information lost   1 - (E / N) (E / P)    0 to 1, 0 is best (Morris, Maier and Green 2004, From WER and RIL to MER
                                              and WIL: Improved Evaluation Measures for Connected Speech Recognition)

Several alignments may have as few errors; E of the one that jiwer takes can differ from E of another. Words are given
as they are to be compared: `cmkt.text.spoken` makes them out of texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Self, final

from cmkt.errors import ConfigError, MetricUndefinedError
from cmkt.extras import import_extra

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WER: Final = "wer"
CER: Final = "cer"
WIL: Final = "wil"
NOTHING_SAID: Final = "the transcript has no words"

Operation = Literal["equal", "substitute", "delete", "insert"]


@final
@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """How often each happened. Counts of several utterances add up to those of all: `a + b`.

    >>> first, second = ErrorCounts(equal=2, deleted=1), ErrorCounts(substituted=1)
    >>> (first + second).rate
    0.5
    """

    equal: int = 0
    substituted: int = 0
    deleted: int = 0
    inserted: int = 0

    @property
    def said(self) -> int:
        """N."""
        return self.equal + self.substituted + self.deleted

    @property
    def heard(self) -> int:
        """P."""
        return self.equal + self.substituted + self.inserted

    @property
    def errors(self) -> int:
        """S + D + I."""
        return self.substituted + self.deleted + self.inserted

    @property
    def rate(self) -> float:
        """Errors for each that was said, lower is better; 1 where nothing was heard.

        Raises: MetricUndefinedError where nothing was said.
        """
        return self.errors / self._some_said()

    @property
    def information_lost(self) -> float:
        """From 0 to 1, lower is better; 1 where nothing was heard.

        Raises: MetricUndefinedError where nothing was said.
        """
        said = self._some_said()
        return 1.0 - self.equal**2 / (said * self.heard) if self.heard else 1.0

    def _some_said(self) -> int:
        if self.said == 0:
            raise MetricUndefinedError(NOTHING_SAID)
        return self.said

    def __add__(self, other: Self) -> ErrorCounts:
        return ErrorCounts(
            self.equal + other.equal,
            self.substituted + other.substituted,
            self.deleted + other.deleted,
            self.inserted + other.inserted,
        )


@final
@dataclass(frozen=True, slots=True)
class Step:
    """One place of an alignment: `said` is None where a word was inserted, `heard` None where one was deleted."""

    operation: Operation
    said: str | None
    heard: str | None


def count_errors(*, said: Sequence[str], heard: Sequence[str]) -> ErrorCounts:
    """The errors of what was heard, in words or in characters.

    Raises: ConfigError where a word is empty or holds white space; MissingExtraError where `jiwer` is not installed.

    >>> count_errors(said=["the", "old", "man"], heard=["the", "cold", "man", "ran"])
    ErrorCounts(equal=2, substituted=1, deleted=0, inserted=1)
    """
    if not said or not heard:
        return ErrorCounts(deleted=len(said), inserted=len(heard))
    found = _aligned(said, heard)
    return ErrorCounts(found.hits, found.substitutions, found.deletions, found.insertions)


def align(*, said: Sequence[str], heard: Sequence[str]) -> list[Step]:
    """What became of every word, in order, for a reader to see the errors: `count_errors` counts the same steps.

    Raises: as `count_errors`.

    >>> [step.operation for step in align(said=["old", "man"], heard=["man", "ran"])]
    ['delete', 'equal', 'insert']
    """
    if not said or not heard:
        return [*(Step("delete", word, None) for word in said), *(Step("insert", None, word) for word in heard)]
    return [step for chunk in _aligned(said, heard).alignments[0] for step in _steps(chunk, said, heard)]


def _steps(chunk: Any, said: Sequence[str], heard: Sequence[str]) -> Iterator[Step]:
    ours = said[chunk.ref_start_idx : chunk.ref_end_idx]
    theirs = heard[chunk.hyp_start_idx : chunk.hyp_end_idx]
    if chunk.type == "delete":
        yield from (Step("delete", word, None) for word in ours)
    elif chunk.type == "insert":
        yield from (Step("insert", None, word) for word in theirs)
    else:
        yield from (Step(chunk.type, *pair) for pair in zip(ours, theirs, strict=True))


def _aligned(said: Sequence[str], heard: Sequence[str]) -> Any:
    jiwer = import_extra("jiwer", "eval")
    for name, words in (("said", said), ("heard", heard)):
        if bad := [word for word in words if word.split() != [word]]:
            raise ConfigError(f"`{name}` must be words without white space in them, but has {bad[0]!r}. Split them.")
    return jiwer.process_words(" ".join(said), " ".join(heard))
