"""A prepared folder as a test set: every utterance at every SNR, mixed on the fly from (seed, utterance id)."""

from __future__ import annotations

import gzip
import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

import numpy as np

from cmkt.data.manifest import cut_text, load_prepared
from cmkt.data.testset import TestMixtures
from cmkt.errors import ConfigError, DataError
from cmkt.evaluation.held_out import HeldOutMixture, Transcript
from cmkt.evaluation.record import Item, other_fields

if TYPE_CHECKING:
    from lhotse import MonoCut

    from cmkt.data.manifest import Prepared

MANIFESTS: Final = ("speech.jsonl.gz", "noise.jsonl.gz", "rir.jsonl.gz")
SAMPLE_RATE: Final = 16_000


@final
@dataclass(frozen=True, slots=True)
class PreparedFolder:
    """The source: a folder that `cmkt prepare` wrote, with noise, and the SNRs in dB."""

    path: Path
    snrs_db: tuple[float, ...] = (-5.0, 0.0, 5.0, 10.0)

    def __post_init__(self) -> None:
        if not self.snrs_db or len(set(self.snrs_db)) != len(self.snrs_db) or not np.isfinite(self.snrs_db).all():
            raise ConfigError(f"`snr` must name at least one SNR, finite and each once, but is {self.snrs_db}.")

    @property
    def title(self) -> str:
        """As `Source.title`."""
        return f"`{self.path.name}` at SNR {', '.join(f'{snr_db:g}' for snr_db in self.snrs_db)} dB"

    def described(self) -> dict[str, object]:
        """As `Source.described`."""
        return {"kind": "prepared", "path": str(self.path.resolve()), "snrs_db": list(self.snrs_db)}

    def open(self, *, seed: int, limit: int | None, sample_rate: int | None) -> PreparedSet:
        """As `Source.open`; 16 kHz where no rate is given."""
        return PreparedSet(
            load_prepared(self.path),
            snrs_db=self.snrs_db,
            seed=seed,
            limit=limit,
            sample_rate=SAMPLE_RATE if sample_rate is None else sample_rate,
        )


@final
class PreparedSet:
    """The open test set; `cmkt.data.testset` says how it is mixed.

    Raises: DataError where ids repeat or the folder has no noise.
    """

    def __init__(
        self, prepared: Prepared, *, snrs_db: tuple[float, ...], seed: int, limit: int | None, sample_rate: int
    ) -> None:
        self._directory = prepared.directory
        self._mixtures = TestMixtures(prepared, snrs_db=snrs_db, sample_rate=sample_rate, seed=seed, limit=limit)
        ids = self._mixtures.ids
        if repeated := [name for name, count in Counter(ids).items() if count > 1]:
            raise DataError(
                f"Each utterance of {self._directory} must have its own id, but these repeat: {repeated[:5]}."
            )
        self.items = tuple(Item(name, snr_db) for name in ids for snr_db in self._mixtures.snrs_db)
        self.transcripts = {cut.id: _transcript(cut) for cut in prepared.speech}

    @property
    def sample_rates(self) -> frozenset[int]:
        """As `HeldOut.sample_rates`."""
        return frozenset({self._mixtures.sample_rate})

    @property
    def fields(self) -> frozenset[str]:
        """As `HeldOut.fields`."""
        stated = (other_fields(cut.custom or {}) for cut in self._mixtures.cuts)
        return frozenset({"level_db"}.union(*stated))  # the level is drawn with the mixture

    def has_reference(self, index: int) -> bool:
        """Always."""
        return True

    def mixture(self, index: int) -> HeldOutMixture:
        """As `HeldOut.mixture`."""
        mixture = self._mixtures[index]
        item = Item(mixture.id, mixture.snr_db)
        return HeldOutMixture(item, mixture.noisy, mixture.clean, self._mixtures.sample_rate, mixture.metadata)

    def fingerprint(self) -> str:
        """16 hex digits and the rate; they change with any manifest, which names its audio files by their paths.

        The audio itself is not read: files that were moved look changed, files that were overwritten do not.
        """
        return f"{manifests_fingerprint(self._directory)}-{self._mixtures.sample_rate}"


def _transcript(cut: MonoCut) -> Transcript:
    stated = [each.language for each in cut.supervisions if each.language]
    foreign = [language for language in stated if not language.lower().startswith("en")]
    return Transcript(cut_text(cut), next(iter([*foreign, *stated]), None))


def manifests_fingerprint(directory: Path) -> str:
    """16 hex digits that change with any manifest of a prepared folder."""
    digest = hashlib.sha256()
    for name in MANIFESTS:
        path = directory / name
        if path.is_file():
            with gzip.open(path) as manifest:
                digest.update(name.encode() + b"\0" + manifest.read() + b"\0")
    return digest.hexdigest()[:16]
