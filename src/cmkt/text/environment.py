"""Open LMDB environments of this process.

LMDB forbids opening one environment twice in a process and using one after a fork. So nobody keeps an environment: they
ask here for each transaction, by path, and get the process's own, which is opened again after a fork or where the files
were replaced. While a store is being written, its readers in the same process share the writer's environment.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cmkt.errors import StoreError
from cmkt.extras import import_extra

if TYPE_CHECKING:
    import lmdb

DATA_FILE = "data.mdb"
INITIAL_MAP_BYTES = 64 * 2**20


@dataclass(slots=True)
class _Opened:
    environment: lmdb.Environment
    process: int
    file: tuple[int, int]
    writable: bool


_opened: dict[Path, _Opened] = {}
_lock = threading.RLock()


def _after_fork() -> None:
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it, and does not exist here
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def reading(path: Path) -> Iterator[lmdb.Transaction]:
    """A read transaction that sees everything committed so far. path: resolved. Values are views until it ends.

    Raises: StoreError when there is no store or its files are damaged.
    """
    lmdb = import_extra("lmdb", "train")
    with _lock:
        environment = _current(path)
        try:
            try:
                transaction = environment.begin(buffers=True)
            except lmdb.MapResizedError:  # another process's writer made it larger
                environment.set_mapsize(0)
                transaction = environment.begin(buffers=True)
            with transaction:
                yield transaction
        except lmdb.Error as error:
            raise StoreError(f"the embedding store {path} cannot be read: {error}") from error


def open_for_writing(path: Path) -> lmdb.Environment:
    """The environment of the one writer; made when there is none. Close it with `close`."""
    with _lock:
        close(path)
        path.mkdir(parents=True, exist_ok=True)
        size = _file_bytes(path)
        map_bytes = max(INITIAL_MAP_BYTES, 2 * size)
        environment: lmdb.Environment = _open(path, map_size=map_bytes, readonly=False)
        _opened[path] = _Opened(environment, os.getpid(), _file_identity(path), writable=True)
        return environment


def close(path: Path) -> None:
    """Close what this process has open of the store, if anything; readers open it again by themselves."""
    with _lock:
        opened = _opened.pop(path, None)
        if opened is not None:
            opened.environment.close()


def _current(path: Path) -> lmdb.Environment:
    opened = _opened.get(path)
    if not (path / DATA_FILE).is_file():
        raise StoreError(f"{path} must be an embedding store, but has no {DATA_FILE}. Make it with `cmkt embed`.")
    if opened is not None and opened.process == os.getpid() and opened.file == _file_identity(path):
        return opened.environment
    close(path)
    environment: lmdb.Environment = _open(path, readonly=True, lock=False)
    _opened[path] = _Opened(environment, os.getpid(), _file_identity(path), writable=False)
    return environment


def _open(path: Path, **options: Any) -> Any:
    module = import_extra("lmdb", "train")
    try:
        environment = module.open(os.fspath(path), max_dbs=0, readahead=False, **options)
    except module.Error as error:
        raise StoreError(
            f"the embedding store {path} cannot be opened: {error}. If it is damaged, delete it and run `cmkt embed`."
        ) from error
    needed = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
    if (
        environment.info()["last_txnid"] > 0 and _file_bytes(path) < needed
    ):  # reading past the end would kill the process
        environment.close()
        raise StoreError(
            f"the embedding store {path} must have {needed} bytes, but was cut to {_file_bytes(path)}. "
            "Copy it again, or delete it and run `cmkt embed`."
        )
    return environment


def _file_bytes(path: Path) -> int:
    file = path / DATA_FILE
    return file.stat().st_size if file.is_file() else 0


def _file_identity(path: Path) -> tuple[int, int]:
    status = (path / DATA_FILE).stat()
    return status.st_dev, status.st_ino
