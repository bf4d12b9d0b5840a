"""Results that were computed before, by content: the same audio is never scored twice in the same way.

Noisy and clean speech come back in every evaluation of every system, and a system's own output under other names and in
other folders. One small file for each key, written whole, so that many processes can share the folder. A result that
cannot be kept is computed again next time, and the folder may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path
from typing import Any, final

from cmkt.audio.write import write_text

logger = logging.getLogger(__name__)


def default_cache() -> Path:
    """`cmkt/evaluation` in the user's cache folder: XDG_CACHE_HOME, or .cache in the home folder."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "cmkt" / "evaluation"


@final
class ResultCache:
    """JSON values by key, in a folder that need not exist yet; with None for a folder, nothing is kept.

    What comes out is plain JSON: the caller checks its form, as anyone may write into the folder.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, key: str) -> Any:
        """What was kept under a key; None where there is nothing, or it is damaged."""
        if self._folder is None:
            return None
        try:
            return json.loads(_path(self._folder, key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def put(self, key: str, value: object) -> None:
        """Keeps a value, or tells in the debug log that it cannot. Raises TypeError for what is not JSON."""
        if self._folder is None:
            return
        path, text = _path(self._folder, key), json.dumps(value, ensure_ascii=False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, text)
        except OSError as error:
            logger.debug("%s cannot be kept: %s", path, error)


def _path(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key}.json"


def content_key(*parts: bytes) -> str:
    """64 hex digits that change with any of the parts, each of which may be of any length."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()
