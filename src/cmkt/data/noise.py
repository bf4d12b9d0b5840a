"""Choosing and placing noise: which class, which recording, where in the mixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from cmkt.data.cache import AudioCache
from cmkt.errors import AudioError, DataError
from cmkt.signal.level import is_silent
from cmkt.signal.placement import EVENT_SECONDS, place_noise

if TYPE_CHECKING:
    from lhotse import MonoCut

CACHE_BYTES = 2 << 30


def noise_class(cut: MonoCut) -> str:
    """The class of a noise cut; a recording without one is a class of its own."""
    return str((cut.custom or {}).get("class") or cut.id)


@dataclass(frozen=True, slots=True)
class PlacedNoise:
    """(T,) float32 noise, the ids of the recordings it was made from, and their class."""

    audio: NDArray[np.float32]
    ids: tuple[str, ...]
    noise_class: str


@final
class NoiseBank:
    """Noise recordings by class.

    A class is drawn with a probability that grows with the square root of its total duration: by duration alone four
    minutes of jungle would drown everything, by class alone a class of one two-second clip would be heard too often.
    Within a class every recording is as likely.
    """

    def __init__(self, cuts: Sequence[MonoCut], sample_rate: int) -> None:
        if not cuts:
            raise DataError("mixing needs at least one noise recording, but there is none. Prepare with --noise.")
        self.cache = AudioCache(cuts, sample_rate, limit_bytes=CACHE_BYTES)
        self.sample_rate = sample_rate
        members: dict[str, list[int]] = {}
        for index, cut in enumerate(cuts):
            members.setdefault(noise_class(cut), []).append(index)
        self.classes = tuple(sorted(members))
        self._members = [members[name] for name in self.classes]
        weights = np.sqrt([sum(cuts[index].duration for index in group) for group in self._members])
        self._probabilities = weights / weights.sum()

    def draw(self, total: int, rng: np.random.Generator) -> PlacedNoise:
        """Noise over `total` samples. Draws, in order: class, recording, crop start, those of `place_noise`."""
        group_index = int(rng.choice(len(self.classes), p=self._probabilities))
        group = self._members[group_index]
        drawn = group[int(rng.integers(len(group)))]
        chosen = [drawn]
        if self._is_event(drawn):
            chosen += [index for index in group if index != drawn and self._is_event(index)]
        ids = tuple(self.cache.cuts[index].id for index in chosen)
        try:
            audio = place_noise(self._recordings(chosen, total, rng), total, self.sample_rate, rng)
        except DataError:
            raise
        except AudioError as error:
            raise DataError(f"the noise {', '.join(ids)} must be usable, but is not: {error}") from error
        return PlacedNoise(np.asarray(audio, dtype=np.float32), ids, self.classes[group_index])

    def _is_event(self, index: int) -> bool:
        return bool(self.cache.cuts[index].duration < EVENT_SECONDS)

    def _recordings(self, chosen: Sequence[int], total: int, rng: np.random.Generator) -> list[NDArray[np.float32]]:
        if len(chosen) > 1:
            return [self.cache[index].unpack() for index in chosen]
        packed = self.cache[chosen[0]]
        start = int(rng.integers(max(packed.samples - total, 0) + 1))
        # Minutes of background are not turned into floats for a few seconds of them, unless the part is silent.
        part = packed.unpack(start, start + total)
        return [packed.unpack() if is_silent(part) else part]
