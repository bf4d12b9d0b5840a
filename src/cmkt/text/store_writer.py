"""Filling an embedding store: one writer, in transactions of a few hundred texts, safe to kill at any moment."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Self, final

from torch import Tensor

from cmkt.errors import ConfigError, StoreError
from cmkt.extras import import_extra
from cmkt.text.environment import close, open_for_writing
from cmkt.text.record import (
    BITS,
    HALF,
    METADATA_KEY,
    STATISTICS_KEY,
    Metadata,
    Statistics,
    decode_vectors,
    encode_vectors,
    text_key,
)
from cmkt.text.store import StoreReader

PENDING_TEXTS = 256
PENDING_BYTES = 32 * 2**20
"""A transaction is written when this many texts or bytes wait. What waits is lost in a kill; nothing else is."""


@final
class StoreWriter:
    """The writer of a store, as a context manager; the store is made where there is none.

    identity, width, causal: those of the teacher. A store of another teacher is never added to; one that does not know
    yet whether its teacher is causal learns it. bits: of each value, 16 or 8; those of a store stay what they are.

    Raises: StoreError when another process is writing, when another teacher or other bits wrote the store, or on a full
    disk; ConfigError for other bits than 16 and 8.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        identity: str,
        width: int,
        causal: bool | None = None,
        bits: int = HALF,
    ) -> None:
        if bits not in BITS:
            raise ConfigError(f"`bits` must be 16 or 8, but is {bits} instead.")
        self.bits = bits
        self._identity = identity
        self.path = Path(path).expanduser().resolve()
        self._lmdb = import_extra("lmdb", "train")
        self._pending: dict[bytes, bytes] = {}
        self._pending_bytes = 0
        self._failed = False
        self._lock = _locked(self.path)
        try:
            self._environment = open_for_writing(self.path)
            self._statistics = self._begin_store(Metadata(identity=identity, width=width, causal=causal, bits=bits))
        except BaseException:
            self._release()
            raise
        self._waiting = self._statistics

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not self._failed:  # whatever else went wrong, also on Ctrl-C: what was embedded is kept
                self.flush()
        finally:
            self._release()

    @property
    def statistics(self) -> Statistics:
        """What the store holds with everything put so far, flushed or not."""
        return self._waiting

    def put(self, text: str, vectors: Tensor) -> None:
        """Add the vectors (N, D) of one text; nothing happens when it is there already.

        Raises: StoreError when the vectors do not fit the store.
        """
        width = len(self._statistics.direction_sum)
        if vectors.ndim != 2 or vectors.shape[1] != width:
            raise StoreError(
                f"vectors must be (tokens, {width}) for {self.path}, but are {tuple(vectors.shape)} instead."
            )
        key = text_key(text)
        if not self._holds(key):
            self._keep(key, encode_vectors(vectors, bits=self.bits), vectors)

    def absorb(self, other: StoreReader) -> None:
        """Add all that another store of the same teacher and bits holds and this one does not, byte for byte.

        Raises: StoreError when it is of another teacher or other bits.
        """
        own = (self.bits, len(self._statistics.direction_sum))
        if (other.metadata.bits, other.metadata.width) != own or other.metadata.identity != self._identity:
            raise StoreError(f"the embedding store {other.path} must be of the teacher and bits of {self.path}.")
        unknown, added = other.statistics.unknown, False
        for key, value in other.records():
            if not self._holds(key):
                self._keep(key, value, decode_vectors(value, other.metadata.width, bits=self.bits))
                added = True
        self.add_unknown(unknown if added else 0)

    def add_unknown(self, tokens: int) -> None:
        """Count tokens that the teacher did not know; written with the next texts."""
        self._waiting = self._waiting.plus_unknown(tokens)

    def flush(self) -> None:
        """Write what waits, durably.

        Raises: StoreError when the disk is full; everything flushed before is kept.
        """
        if self._waiting is self._statistics:
            return
        self._commit({**self._pending, STATISTICS_KEY: self._waiting.encode()})
        self._statistics = self._waiting
        self._pending.clear()
        self._pending_bytes = 0

    def _begin_store(self, expected: Metadata) -> Statistics:
        with self._environment.begin() as transaction:
            written, statistics = transaction.get(METADATA_KEY), transaction.get(STATISTICS_KEY)
        if written is None:
            self._statistics = Statistics.empty(expected.width)
            self._commit({METADATA_KEY: expected.encode()})
            return self._statistics
        found = Metadata.decode(written)
        if not found.same_teacher(expected):
            raise StoreError(
                f"the embedding store {self.path} must be of the teacher {expected.identity} (width {expected.width}), "
                f"but was written by {found.identity} (width {found.width}). Choose another --output, or delete it."
            )
        if found.bits != expected.bits:
            raise StoreError(
                f"the embedding store {self.path} must have {expected.bits} bits a value, but was written with "
                f"{found.bits}. Add to it with {found.bits}, or choose another --output."
            )
        kept = Statistics.empty(found.width) if statistics is None else Statistics.decode(statistics)
        if found.causal is None and expected.causal is not None:
            self._statistics = kept
            self._commit({METADATA_KEY: expected.encode()})
        return kept

    def _keep(self, key: bytes, value: bytes, vectors: Tensor) -> None:
        self._pending[key] = value
        self._pending_bytes += len(value)
        self._waiting = self._waiting.plus(vectors)
        if len(self._pending) >= PENDING_TEXTS or self._pending_bytes >= PENDING_BYTES:
            self.flush()

    def _holds(self, key: bytes) -> bool:
        if key in self._pending:
            return True
        with self._environment.begin(buffers=True) as transaction:
            return transaction.get(key) is not None

    def _commit(self, records: dict[bytes, bytes]) -> None:
        while True:
            try:
                with self._environment.begin(write=True) as transaction:
                    for key, value in sorted(records.items()):
                        transaction.put(key, value)
            except self._lmdb.MapFullError:
                self._environment.set_mapsize(2 * self._environment.info()["map_size"])
            except self._lmdb.Error as error:
                self._failed = True
                raise StoreError(
                    f"writing to the embedding store {self.path} failed: {error}. The {self._statistics.texts} texts "
                    "written before are kept. Make room on the disk and run the same command again to go on."
                ) from error
            else:
                return

    def _release(self) -> None:
        close(self.path)
        self._lock.close()


def _locked(path: Path) -> IO[bytes]:
    """An open file that holds the writer's lock; the system releases it however the process ends."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        file = (path / "writer.lock").open("ab")
    except OSError as error:
        raise StoreError(f"the embedding store {path} cannot be written: {error.strerror}.") from error
    try:
        _lock_exclusively(file)
    except OSError as error:
        file.close()
        raise StoreError(
            f"an embedding store must have one writer, but another process is writing to {path}. Wait for it to end."
        ) from error
    return file


if sys.platform == "win32":

    def _lock_exclusively(file: IO[bytes]) -> None:
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:

    def _lock_exclusively(file: IO[bytes]) -> None:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
