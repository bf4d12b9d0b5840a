"""Utterances mixed with noise when they are asked for: the map-style data set behind a DataLoader."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, final

import numpy as np
import torch
from torch.utils.data import Dataset

from cmkt.data.batch import Example
from cmkt.data.cache import AudioCache, Float32, Int16Audio
from cmkt.data.draw import generator
from cmkt.data.manifest import cut_text
from cmkt.data.mixture import Mixer, Mixture
from cmkt.errors import AudioError, ConfigError, DataError
from cmkt.signal.level import is_silent

if TYPE_CHECKING:
    from lhotse import MonoCut

CACHE_BYTES = 4 << 30
"""Decoded speech kept in memory at most: 37 hours at 16 kHz."""

CROP_TRIES = 4
QUIET_RATIO = 0.1
"""A crop whose RMS is under this share (-20 dB) of the utterance's is mostly a pause."""


def _rms(x: Float32) -> float:
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))


def crop_speech(packed: Int16Audio, samples: int, rng: np.random.Generator) -> Float32:
    """(min(samples, T),): a random crop that is not a pause: of four drawn starts the first that is loud enough.

    Where all four are silent, the crop lies around the loudest sample. Draws four numbers from `rng`, also when nothing
    is cropped.
    """
    starts = (rng.random(CROP_TRIES) * (max(packed.samples - samples, 0) + 1)).astype(int)
    whole = packed.unpack()
    if packed.samples <= samples:
        return whole
    crops = [whole[start : start + samples] for start in starts]
    enough = QUIET_RATIO * _rms(whole)
    chosen = next((crop for crop in crops if _rms(crop) >= enough), max(crops, key=_rms))
    if is_silent(chosen):
        middle = int(np.abs(whole).argmax()) - samples // 2
        start = min(max(middle, 0), packed.samples - samples)
        return whole[start : start + samples]
    return chosen


@final
class MixtureDataset(Dataset[Example]):
    """Item (epoch, index): utterance `index` of the speech, mixed by draws from (seed, epoch, utterance id).

    crop_seconds: utterances are cropped to this where the transcript is not needed, that is where there is none or
    `needs_text` is False; a cropped utterance has text None, because the words it keeps are unknown. None: never.
    cache: whether decoded speech stays in memory, up to 4 GiB; `preload` fills it, best before workers are forked.
    A pickled data set has an empty cache.
    """

    def __init__(
        self,
        speech: Iterable[MonoCut],
        mixer: Mixer,
        *,
        seed: int = 0,
        crop_seconds: float | None = None,
        needs_text: bool = True,
        cache: bool = True,
    ) -> None:
        if crop_seconds is not None and crop_seconds <= 0:
            raise ConfigError(f"`crop_seconds` must be above 0 or None, but is {crop_seconds} instead.")
        self.mixer = mixer
        self.seed = seed
        self.crop_seconds = crop_seconds
        self.needs_text = needs_text
        self._cache = AudioCache(list(speech), mixer.sample_rate, limit_bytes=CACHE_BYTES if cache else 0)
        if len(self._cache) == 0:
            raise DataError("training needs at least one utterance, but the speech is empty.")

    def __len__(self) -> int:
        return len(self._cache)

    @property
    def ids(self) -> list[str]:
        """Utterance ids by index."""
        return [cut.id for cut in self._cache.cuts]

    @property
    def texts(self) -> list[str | None]:
        """Transcripts by index, as an item would have them."""
        return [None if self._cropped(cut) else cut_text(cut) for cut in self._cache.cuts]

    @property
    def durations(self) -> list[float]:
        """Seconds of the items by index at most, after cropping and at the lowest speed: what a batch sampler needs."""
        slowest = min(1.0, self.mixer.settings.speed_factor[0]) if self.mixer.settings.speed_probability else 1.0
        return [
            (min(cut.duration, self.crop_seconds) if self._cropped(cut) and self.crop_seconds else cut.duration)
            / slowest
            for cut in self._cache.cuts
        ]

    def preload(self) -> None:
        """Decodes speech, noise and rooms into memory, with progress."""
        self.mixer.preload()
        self._cache.preload(description="decoding speech")

    def mixture(self, epoch: int, index: int) -> Mixture:
        """The mixture behind item (epoch, index). Draws, in order: crop (where it can be cropped), then the mixer's.

        Raises DataError when a file is gone, damaged or silent, naming it.
        """
        cut = self._cache.cuts[index]
        rng = generator(self.seed, epoch, cut.id)
        packed = self._cache[index]
        if self.crop_seconds is not None and self._may_crop(cut):
            speech = crop_speech(packed, round(self.crop_seconds * self.mixer.sample_rate), rng)
        else:
            speech = packed.unpack()
        try:
            return self.mixer.mix(speech, rng, voices=self._cache, speech_id=cut.id)
        except DataError:
            raise
        except AudioError as error:
            raise DataError(f"utterance {cut.id} must be usable as speech, but is not: {error}") from error

    def __getitem__(self, item: tuple[int, int]) -> Example:
        epoch, index = item
        mixture = self.mixture(epoch, index)
        cut = self._cache.cuts[index]
        return Example(
            id=cut.id,
            noisy=torch.from_numpy(mixture.noisy),
            clean=torch.from_numpy(mixture.clean),
            text=None if self._cropped(cut) else cut_text(cut),
        )

    def _may_crop(self, cut: MonoCut) -> bool:
        return not (self.needs_text and cut_text(cut) is not None)

    def _cropped(self, cut: MonoCut) -> bool:
        return self.crop_seconds is not None and self._may_crop(cut) and cut.duration > self.crop_seconds
