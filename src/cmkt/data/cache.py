"""Decoded recordings of a manifest, kept in memory as 16-bit integers.

Decoding compressed audio costs more than mixing it, and six hours at 16 kHz are 700 MB as int16. Loader processes that
are forked share what was decoded before the fork (`preload`): the arrays are never written to, so no page is copied.
A pickled copy is empty and decodes for itself.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from cmkt.audio.read import read_audio
from cmkt.errors import AudioError, DataError
from cmkt.signal.resample import resample

if TYPE_CHECKING:
    from lhotse import MonoCut

Float32 = NDArray[np.float32]
DURATION_TOLERANCE_SECONDS = 0.1


def read_cut(cut: MonoCut, sample_rate: int) -> Float32:
    """(T,) float32: the audio of a cut (its channel, from its start, for its duration) at `sample_rate` in Hz.

    Raises DataError naming the file when it disappeared, is damaged, not finite, or shorter than when it was prepared.
    """
    source = cut.recording.sources[0]
    if source.type != "file" or cut.recording.transforms:
        return np.asarray(cut.resample(sample_rate).load_audio()[0], dtype=np.float32)
    try:
        audio, rate = read_audio(source.source)
    except AudioError as error:
        raise DataError(
            f"{source.source} (utterance {cut.id}) must be readable as when it was prepared, but is not: {error}. "
            "Restore the file or prepare the folder again."
        ) from error
    start = round(cut.start * rate)
    if audio.shape[1] + DURATION_TOLERANCE_SECONDS * rate < start + cut.duration * rate or audio.shape[1] <= start:
        raise DataError(
            f"{source.source} (utterance {cut.id}) must last {cut.end:.2f} s as when it was prepared, but lasts "
            f"{audio.shape[1] / rate:.2f} s. Prepare the folder again."
        )
    channel = audio[cut.channel, start : start + round(cut.duration * rate)]
    if not np.isfinite(channel).all():
        raise DataError(
            f"{source.source} (utterance {cut.id}) must be finite as when it was prepared, but holds NaN or infinity. "
            "Restore the file or prepare the folder again."
        )
    return np.asarray(resample(channel, rate, sample_rate), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Int16Audio:
    """(T,) integers and the power of two that makes them samples.

    16-bit files come back exactly, or without their last bit where a sample is at negative full scale (-32768).
    """

    integers: NDArray[np.int16]
    scale: float

    @classmethod
    def pack(cls, audio: Float32) -> Int16Audio:
        """Packs (T,) finite samples with an error of at most 2**-16 of the smallest power of two above the peak."""
        peak = float(np.abs(audio).max(initial=0.0))
        scale = 2.0 ** float(np.ceil(np.log2(peak * 32768 / 32767))) / 32768 if peak > 0.0 else 1.0
        return cls(np.rint(audio / scale).astype(np.int16), scale)

    @property
    def samples(self) -> int:
        """T."""
        return int(self.integers.size)

    def unpack(self, start: int = 0, stop: int | None = None) -> Float32:
        """(stop - start,) float32."""
        return self.integers[start:stop].astype(np.float32) * np.float32(self.scale)


@final
class AudioCache:
    """The audio of a list of cuts at one sample rate, decoded at most once while it fits into `limit_bytes`.

    What does not fit is decoded at every use. With or without room, the same samples come back.
    """

    def __init__(self, cuts: Sequence[MonoCut], sample_rate: int, *, limit_bytes: int) -> None:
        self.cuts = list(cuts)
        self.sample_rate = sample_rate
        self.limit_bytes = limit_bytes
        self._kept: dict[int, Int16Audio] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self.cuts)

    @property
    def kept_bytes(self) -> int:
        """Memory in use for decoded audio."""
        return self._bytes

    def __getitem__(self, index: int) -> Int16Audio:
        """The whole recording. Raises DataError when its file is gone or damaged."""
        found = self._kept.get(index)
        if found is None:
            found = Int16Audio.pack(read_cut(self.cuts[index], self.sample_rate))
            size = found.integers.nbytes
            if self._bytes + size <= self.limit_bytes and index not in self._kept:
                self._kept[index] = found
                self._bytes += size
        return found

    def preload(self, *, description: str = "decoding", threads: int | None = None) -> None:
        """Decodes everything that fits, with progress. Call it before loader processes are forked."""
        fitting, total = [], self._bytes
        for index, cut in enumerate(self.cuts):
            if index in self._kept:
                continue
            total += 2 * round(cut.duration * self.sample_rate)
            if total > self.limit_bytes:
                break
            fitting.append(index)
        if not fitting:
            return
        with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
            for _ in tqdm(
                pool.map(self.__getitem__, fitting), total=len(fitting), desc=description, unit="file", disable=None
            ):
                pass

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": {}, "_bytes": 0}
