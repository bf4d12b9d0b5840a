"""Pairs of files as a test set: a list (see `cmkt.data.pairs`), or folders of recordings with or without references.

Needs neither torch nor Lhotse.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from cmkt.audio.read import audio_info
from cmkt.data.pair_audio import read_pair
from cmkt.data.pair_folders import find_pairs
from cmkt.data.pairs import read_pairs
from cmkt.errors import ConfigError
from cmkt.evaluation.held_out import HeldOutMixture, Transcript, take_utterances
from cmkt.evaluation.record import Item, other_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cmkt.data.pairs import Pair

BLOCK_BYTES: Final = 1 << 20


@final
@dataclass(frozen=True, slots=True)
class PairList:
    """The source: a list of pairs."""

    path: Path

    @property
    def title(self) -> str:
        """As `Source.title`."""
        return f"`{self.path.resolve().parent.name}/{self.path.name}`"

    def described(self) -> dict[str, object]:
        """As `Source.described`."""
        return {"kind": "pairs", "path": str(self.path.resolve())}

    def open(self, *, seed: int, limit: int | None, sample_rate: int | None) -> PairSet:
        """As `Source.open`; the rate of each file where none is given."""
        return PairSet(read_pairs(self.path), seed=seed, limit=limit, sample_rate=sample_rate)


@final
@dataclass(frozen=True, slots=True)
class PairFolders:
    """The source: folders as in `cmkt.data.pair_folders.find_pairs`, `clean` None for recordings without references."""

    noisy: Path
    clean: Path | None = None
    transcripts: Path | None = None

    @property
    def title(self) -> str:
        """As `Source.title`."""
        noisy = f"`{self.noisy.resolve().name}`"
        return noisy if self.clean is None else f"{noisy} beside `{self.clean.resolve().name}`"

    def described(self) -> dict[str, object]:
        """As `Source.described`."""
        paths = {"path": self.noisy, "clean": self.clean, "transcripts": self.transcripts}
        return {
            "kind": "folders",
            **{name: None if path is None else str(path.resolve()) for name, path in paths.items()},
        }

    def open(self, *, seed: int, limit: int | None, sample_rate: int | None) -> PairSet:
        """As `Source.open`; the rate of each file where none is given."""
        pairs = find_pairs(self.noisy, self.clean, transcripts=self.transcripts)
        return PairSet(pairs, seed=seed, limit=limit, sample_rate=sample_rate)


@final
class PairSet:
    """The open test set.

    Raises: ConfigError where a file has a lower rate than `sample_rate`.
    """

    def __init__(self, pairs: Sequence[Pair], *, seed: int, limit: int | None, sample_rate: int | None) -> None:
        taken = take_utterances([pair.id for pair in pairs], limit, seed=seed)
        self._all = tuple(pairs)
        self._sample_rate = sample_rate
        self.pairs = tuple(pair for pair in pairs if pair.id in taken)
        """Those that are evaluated."""
        self.items = tuple(Item(pair.id, pair.snr_db) for pair in self.pairs)
        self.transcripts = {pair.id: Transcript(pair.text, _language(pair)) for pair in pairs}
        self._root = _common_folder(pairs)
        if sample_rate is not None:
            _check_rates(self.pairs, sample_rate)

    @property
    def sample_rates(self) -> frozenset[int]:
        """As `HeldOut.sample_rates`, from the headers of all files."""
        if self._sample_rate is not None:
            return frozenset({self._sample_rate})
        return frozenset(audio_info(pair.noisy).sample_rate for pair in self.pairs)

    @property
    def fields(self) -> frozenset[str]:
        """As `HeldOut.fields`."""
        return frozenset(name for pair in self.pairs for name in other_fields(pair.about))

    def has_reference(self, index: int) -> bool:
        """As `HeldOut.has_reference`."""
        return self.pairs[index].clean is not None

    def mixture(self, index: int) -> HeldOutMixture:
        """As `HeldOut.mixture`; lengths that differ by up to 10 ms are trimmed at their ends."""
        pair = self.pairs[index]
        audio = read_pair(pair, sample_rate=self._sample_rate)
        return HeldOutMixture(
            item=self.items[index],
            noisy=audio.noisy,
            clean=audio.clean,
            sample_rate=audio.sample_rate,
            metadata={**pair.about, "text": pair.text},
            names=self.names(pair),
        )

    def names(self, pair: Pair) -> tuple[str, ...]:
        """The noisy file's path below the folder that all have in common, its name alone, and the id of the pair."""
        path = Path(os.path.abspath(pair.noisy)).relative_to(self._root)
        return path.with_suffix("").as_posix(), pair.noisy.stem, pair.id

    @property
    def all_names(self) -> list[tuple[str, ...]]:
        """The names of every pair, also of those that are not evaluated."""
        return [self.names(pair) for pair in self._all]

    def fingerprint(self) -> str:
        """16 hex digits and the rate if one was given; they change with any field of any pair and any byte of its
        files, all of which are read."""
        digest = hashlib.sha256()
        hashed = cache(file_hash)
        for pair in self._all:
            fields = {"id": pair.id, "snr_db": pair.snr_db, "text": pair.text, **pair.about}
            digest.update(json.dumps(fields, sort_keys=True, default=str).encode() + b"\0")
            for path in (pair.noisy, pair.clean):
                digest.update((b"" if path is None else hashed(path)) + b"\0")
        rate = "" if self._sample_rate is None else f"-{self._sample_rate}"
        return f"{digest.hexdigest()[:16]}{rate}"


def file_hash(path: Path) -> bytes:
    """The SHA-256 of a file's content; that of nothing where it cannot be read, which is told when it is scored."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
    except OSError:
        return hashlib.sha256().digest()
    return digest.digest()


def _language(pair: Pair) -> str | None:
    stated = pair.about.get("language")
    return str(stated) if stated else None


def _common_folder(pairs: Sequence[Pair]) -> Path:
    return Path(os.path.commonpath([os.path.abspath(pair.noisy.parent) for pair in pairs]))


def _check_rates(pairs: Sequence[Pair], sample_rate: int) -> None:
    lower = [pair.noisy for pair in pairs if audio_info(pair.noisy).sample_rate < sample_rate]
    if lower:
        raise ConfigError(
            f"`sample_rate` must be at most that of every file, but {len(lower)} of {len(pairs)} noisy files have less "
            f"than {sample_rate} Hz, {lower[0]} for one. Name a lower rate."
        )
