"""Embedding a corpus once, so that training never runs the language model."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import final

from torch import Tensor
from tqdm import tqdm

from cmkt.text.normalisation import tidy
from cmkt.text.record import HALF, Statistics, coding_error
from cmkt.text.store import StoreReader
from cmkt.text.store_writer import StoreWriter
from cmkt.text.teacher import Tokenising
from cmkt.types import Teacher


@dataclass(frozen=True, slots=True)
class Embedding:
    """What one run did. embedded, present: unique texts; store: what the store holds now; file_bytes: its size;
    coding_error: mean over the tokens of this run of 1 - cos of a vector with what the store gives back for it."""

    embedded: int
    present: int
    store: Statistics
    file_bytes: int
    coding_error: float

    @property
    def bytes_per_token(self) -> float:
        """Size on disk of the whole store for each token."""
        return self.file_bytes / max(1, self.store.tokens)


@final
class CodingError:
    """Gathers 1 - cos of vectors with what a store of so many bits a value gives back for them."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._sum = 0.0
        self._tokens = 0

    def add(self, vectors: Tensor) -> None:
        """Takes the vectors (N, D) of a text."""
        self._sum += float(coding_error(vectors, bits=self._bits).sum())
        self._tokens += len(vectors)

    @property
    def mean(self) -> float:
        """Over all tokens so far, 0 without any."""
        return self._sum / max(1, self._tokens)


def unique_texts(texts: Iterable[str | None]) -> list[str]:
    """The texts that hold something, tidied, each once, in order of appearance."""
    return list(dict.fromkeys(tidied for text in texts if text is not None and (tidied := tidy(text))))


def embed_texts(
    teacher: Teacher,
    texts: Iterable[str | None],
    store_path: str | os.PathLike[str],
    *,
    bits: int = HALF,
    chunk_texts: int = 256,
    progress: bool = True,
) -> Embedding:
    """Put the vectors of all texts into the store. Texts that are there already are skipped, so a run may be repeated.

    bits: of each value in the store, 16 or 8. chunk_texts: how many texts the teacher gets at once; longest first, so
    that a text that is too long, or memory that does not suffice, shows at the start.

    What was embedded before an error is kept.
    Raises: TextError for a text that the teacher cannot take; StoreError as StoreWriter does.
    """
    unique = unique_texts(texts)
    causal: bool | None = getattr(teacher, "causal", None)
    with StoreWriter(store_path, identity=teacher.identity, width=teacher.width, causal=causal, bits=bits) as writer:
        missing = StoreReader(store_path).missing(unique)
        error = CodingError(bits)
        bar = tqdm(total=len(unique), initial=len(unique) - len(missing), unit="text", disable=not progress)
        with bar:
            for chunk in _chunks(missing, chunk_texts):
                unknown = unknown_tokens(teacher)
                embedded = teacher.embed(chunk)
                writer.add_unknown(unknown_tokens(teacher) - unknown)
                for text, vectors in zip(chunk, embedded, strict=True):
                    writer.put(text, vectors)
                    error.add(vectors)
                bar.update(len(chunk))
        writer.flush()
        return Embedding(
            embedded=len(missing),
            present=len(unique) - len(missing),
            store=writer.statistics,
            file_bytes=StoreReader(store_path).file_bytes,
            coding_error=error.mean,
        )


def _chunks(texts: list[str], size: int) -> Iterator[list[str]]:
    longest_first = sorted(texts, key=len, reverse=True)
    for start in range(0, len(longest_first), size):
        yield longest_first[start : start + size]


def unknown_tokens(teacher: Teacher) -> int:
    """How many tokens a teacher did not know so far, 0 where it does not count them."""
    return teacher.unknown_tokens if isinstance(teacher, Tokenising) else 0
