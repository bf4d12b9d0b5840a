"""Likelihoods that were computed before, by content: the same audio and sentences are never aligned twice.

Noisy and clean speech come back in every evaluation of every system. One small file for each result, written whole, so
that many processes can share the folder; a result that cannot be kept is computed again next time.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, final

from cmkt.audio.write import write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

logger = logging.getLogger(__name__)


def default_cache() -> Path:
    """`cmkt/words` in the user's cache folder: XDG_CACHE_HOME, or .cache in the home folder."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "cmkt" / "words"


@final
class LikelihoodCache:
    """Log-likelihoods by key, None among them, in a folder that need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> tuple[float | None, ...] | None:
        """What was kept under a key; None where there is nothing, or it is damaged."""
        try:
            values = json.loads(self._path(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if isinstance(values, list) and all(value is None or isinstance(value, float) for value in values):
            return tuple(values)
        return None

    def put(self, key: str, values: Sequence[float | None]) -> None:
        """Keeps values, or tells in the debug log that it cannot."""
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, list(values))
        except OSError as error:
            logger.debug("%s cannot be kept: %s", path, error)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"


def content_key(*parts: bytes) -> str:
    """64 hex digits that change with any of the parts, each of which may be of any length."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()
