"""The mixtures that models are measured on: every utterance at every SNR, the same ones for every model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from cmkt.data.cache import read_cut
from cmkt.data.draw import generator, share
from cmkt.data.manifest import Prepared, cut_text
from cmkt.data.mixture import Mixer
from cmkt.data.plan import MixtureSettings, plain_settings
from cmkt.errors import AudioError, ConfigError, DataError


@dataclass(frozen=True, slots=True)
class TestMixture:
    """noisy, clean: (T,) float32; metadata: JSON values (text, speaker, language, noise_ids, noise_classes, ...)."""

    __test__ = False

    id: str
    snr_db: float
    noisy: NDArray[np.float32]
    clean: NDArray[np.float32]
    metadata: dict[str, object]


@final
class TestMixtures:
    """All test mixtures of a prepared folder, utterance by utterance and within it SNR by SNR, in the given order.

    An utterance has the same noise at the same place at every SNR, because its draws come from (seed, 0, id). Without
    settings: one noise, speech at -26 dBFS, no room. `limit` takes that many utterances, chosen by the hash of their
    ids, so that a smaller set is part of a larger one. Items can be asked for in any order and by any process.
    """

    __test__ = False

    def __init__(
        self,
        prepared: Prepared,
        *,
        snrs_db: Sequence[float],
        sample_rate: int,
        seed: int = 0,
        settings: MixtureSettings | None = None,
        limit: int | None = None,
    ) -> None:
        if not snrs_db:
            raise ConfigError("`snrs_db` must hold at least one signal-to-noise ratio, but is empty.")
        if limit is not None and limit < 1:
            raise ConfigError(f"`limit` must be at least 1 or None, but is {limit} instead.")
        self.snrs_db = tuple(float(snr_db) for snr_db in snrs_db)
        self.seed = seed
        self.sample_rate = sample_rate
        cuts = list(prepared.speech)
        if limit is not None:
            taken = {cut.id for cut in sorted(cuts, key=lambda cut: share(cut.id, seed=seed))[:limit]}
            cuts = [cut for cut in cuts if cut.id in taken]
        self.cuts = tuple(cuts)
        """The utterances, in order."""
        self._mixer = Mixer(settings or plain_settings(), prepared.noise, prepared.rir, sample_rate)

    @property
    def ids(self) -> list[str]:
        """Utterance ids, in order."""
        return [cut.id for cut in self.cuts]

    def __len__(self) -> int:
        return len(self.cuts) * len(self.snrs_db)

    def __iter__(self) -> Iterator[TestMixture]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> TestMixture:
        """Mixture `index`. Raises IndexError behind the last one, DataError when a file is gone or damaged."""
        if not 0 <= index < len(self):
            raise IndexError(f"`index` must be in [0, {len(self)}), but is {index} instead.")
        cut = self.cuts[index // len(self.snrs_db)]
        snr_db = self.snrs_db[index % len(self.snrs_db)]
        speech = read_cut(cut, self.sample_rate)
        try:
            mixture = self._mixer.mix(speech, generator(self.seed, 0, cut.id), snr_db=snr_db)
        except DataError:
            raise
        except AudioError as error:
            raise DataError(f"utterance {cut.id} must be usable as speech, but is not: {error}") from error
        supervision = cut.supervisions[0] if cut.supervisions else None
        metadata: dict[str, object] = {
            **(cut.custom or {}),
            "text": cut_text(cut),
            "speaker": supervision.speaker if supervision else None,
            "language": supervision.language if supervision else None,
            "gender": supervision.gender if supervision else None,
            "duration": round(speech.size / self.sample_rate, 3),
            "level_db": round(mixture.level_db, 2),
            "noise_ids": list(mixture.noise_ids),
            "noise_classes": list(mixture.noise_classes),
            "rir_id": mixture.rir_id,
        }
        return TestMixture(id=cut.id, snr_db=snr_db, noisy=mixture.noisy, clean=mixture.clean, metadata=metadata)
