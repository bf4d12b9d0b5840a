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
from cmkt.signal.music import music
from cmkt.signal.placement import EVENT_SECONDS, place_noise
from cmkt.signal.synthesis import babble, clicks, coloured, hum, modulated

if TYPE_CHECKING:
    from lhotse import MonoCut

CACHE_BYTES = 2 << 30

_KINDS = ("coloured", "modulated", "hum", "clicks")


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


def synthetic(total: int, sample_rate: int, rng: np.random.Generator) -> PlacedNoise:
    """Made noise over `total` samples, of a drawn kind: coloured (from blue to brown), modulated, hum or clicks."""
    kind = _KINDS[int(rng.integers(len(_KINDS)))]
    if kind == "coloured":
        audio = coloured(total, float(rng.uniform(-1.0, 2.0)), rng)
    else:
        audio = {"modulated": modulated, "hum": hum, "clicks": clicks}[kind](total, sample_rate, rng)
    return PlacedNoise(audio, (f"synthetic-{kind}",), kind)


def musical(total: int, sample_rate: int, rng: np.random.Generator) -> PlacedNoise:
    """Made music over `total` samples."""
    return PlacedNoise(music(total, sample_rate, rng), ("synthetic-music",), "music")


def babble_of(
    voices: AudioCache | None, count: tuple[int, int], total: int, rng: np.random.Generator, *, but: str | None = None
) -> PlacedNoise:
    """Several drawn utterances at once over `total` samples, count (fewest, most) of them, never the one called `but`.

    Raises DataError without voices, or when a drawn one is silent.
    """
    others = [] if voices is None else [index for index, cut in enumerate(voices.cuts) if cut.id != but]
    if voices is None or not others:
        raise DataError("babble needs voices, but there are none. Set `babble_probability` to 0.")
    drawn = [others[int(index)] for index in rng.integers(len(others), size=int(rng.integers(count[0], count[1] + 1)))]
    ids = tuple(voices.cuts[index].id for index in drawn)
    try:
        return PlacedNoise(babble([voices[index].unpack() for index in drawn], total, rng), ids, "babble")
    except AudioError as error:
        raise DataError(f"the voices {', '.join(ids)} must be usable, but are not: {error}") from error
