"""Reading an embedding store: from many threads and processes, also while it is written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import final

import torch
from torch import Tensor

from cmkt.errors import StoreError
from cmkt.text.environment import DATA_FILE, reading
from cmkt.text.normalisation import tidy
from cmkt.text.record import KEY_BYTES, METADATA_KEY, STATISTICS_KEY, Metadata, Statistics, decode_vectors, text_key


def is_store(path: str | os.PathLike[str]) -> bool:
    """Whether the folder is an embedding store, by its files."""
    return (Path(path) / DATA_FILE).is_file()


@final
class StoreReader:
    """The vectors in a store. It may be pickled, copied, and carried over a fork: it holds only the path.

    Raises: StoreError when there is no store or it cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser().resolve()
        with reading(self.path) as transaction:
            written = transaction.get(METADATA_KEY)
            if written is None:
                raise StoreError(f"{self.path} must be an embedding store, but says nothing of a teacher. Delete it.")
            self.metadata = Metadata.decode(bytes(written))

    @property
    def statistics(self) -> Statistics:
        """What has been committed by now."""
        with reading(self.path) as transaction:
            written = transaction.get(STATISTICS_KEY)
            return Statistics.empty(self.metadata.width) if written is None else Statistics.decode(bytes(written))

    @property
    def file_bytes(self) -> int:
        """Size on disk."""
        return (self.path / DATA_FILE).stat().st_size

    def get(self, text: str) -> Tensor | None:
        """The (N, D) float32 vectors of the text, or None."""
        return self.get_many([text])[0]

    def get_many(self, texts: Sequence[str]) -> list[Tensor | None]:
        """The vectors of each text, or None, all as of one moment."""
        width, bits = self.metadata.width, self.metadata.bits
        with reading(self.path) as transaction:
            values = (transaction.get(text_key(text)) for text in texts)
            return [None if value is None else decode_vectors(value, width, bits=bits) for value in values]

    def missing(self, texts: Iterable[str]) -> list[str]:
        """The texts that are not in the store."""
        with reading(self.path) as transaction:
            return [text for text in texts if transaction.get(text_key(text)) is None]

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """The key and the stored bytes of every text, all as of one moment."""
        with reading(self.path) as transaction:
            for key, value in transaction.cursor():
                if len(key) == KEY_BYTES:
                    yield bytes(key), bytes(value)


@final
class StoredTeacher:
    """What a language model said of known texts, without the language model: cheap enough for every training step.

    Raises: StoreError when there is no store or it cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._reader = StoreReader(path)

    @property
    def width(self) -> int:
        """D, the width of a token vector."""
        return self._reader.metadata.width

    @property
    def identity(self) -> str:
        """That of the teacher which filled the store."""
        return self._reader.metadata.identity

    @property
    def causal(self) -> bool | None:
        """Whether no vector depends on a later token; None where the store does not say, as old ones do not."""
        return self._reader.metadata.causal

    @property
    def mean_direction(self) -> Tensor:
        """The mean of all token vectors scaled to length one, (D,) float32. Raises: StoreError for an empty store."""
        statistics = self._reader.statistics
        if not statistics.tokens:
            raise StoreError(f"the embedding store {self.path} must hold texts to have a mean, but is empty.")
        return torch.from_numpy(statistics.direction_sum / statistics.tokens).float()

    @property
    def path(self) -> Path:
        """The folder of the store."""
        return self._reader.path

    def embed(self, texts: Sequence[str]) -> list[Tensor]:
        """One (N_i, D) float32 tensor on the CPU for each text.

        Raises: StoreError for a text that is not in the store.
        """
        found = self._reader.get_many(texts)
        vectors = [item for item in found if item is not None]
        if len(vectors) < len(found):
            absent = [tidy(text) for text, item in zip(texts, found, strict=True) if item is None]
            raise StoreError(
                f"every text must be in the embedding store {self.path}, but {len(absent)} of {len(texts)} are not, "
                f"the first {absent[0][:60]!r}. Add them with `cmkt embed --data ... --output {self.path}`."
            )
        return vectors

    def covers(self, texts: Iterable[str]) -> bool:
        """Whether every text is in the store."""
        return not self.missing(texts)

    def missing(self, texts: Iterable[str]) -> list[str]:
        """The texts that are not in the store."""
        return self._reader.missing(texts)
