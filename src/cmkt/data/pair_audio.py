"""The audio of a pair, read and checked when it is scored, so that one bad file costs one utterance.

Shapes: T samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cmkt.audio.read import audio_info, read_audio
from cmkt.errors import AudioFileError, DataError
from cmkt.signal.resample import resample

if TYPE_CHECKING:
    from cmkt.data.pairs import Pair

TOLERANCE_SECONDS = 0.01
"""Files whose lengths differ by at most this were cut by a codec or a resampler: their ends are trimmed."""


@dataclass(frozen=True, slots=True)
class PairAudio:
    """noisy, clean: (T,) float32, in time with each other; clean is None where there is no reference.

    trimmed_samples: by how much the longer file was cut at its end, at the rate of the files, 0 for equal lengths.
    """

    noisy: NDArray[np.float32]
    clean: NDArray[np.float32] | None
    sample_rate: int
    trimmed_samples: int = 0


def read_pair(pair: Pair, *, sample_rate: int | None = None) -> PairAudio:
    """The samples of a pair, at `sample_rate` in Hz where it is given, else at that of its files.

    Silence is let through: each metric says for itself that it has no value then.

    Raises DataError where a file is damaged, has several channels, is not finite, or rates differ, or lengths by more
    than 10 ms.
    """
    noisy, rate = _mono(pair.noisy, pair.id)
    clean, trimmed = None, 0
    if pair.clean is not None:
        clean, clean_rate = _mono(pair.clean, pair.id)
        if clean_rate != rate:
            raise DataError(
                f"{pair.noisy} and {pair.clean} must have the same sample rate, but have {rate} and {clean_rate} Hz. "
                "Resample one of them."
            )
        trimmed = abs(noisy.size - clean.size)
        if trimmed > TOLERANCE_SECONDS * rate:
            raise DataError(
                f"{pair.noisy} and {pair.clean} must be equally long, but have {noisy.size} and {clean.size} samples, "
                f"{1000 * trimmed / rate:.0f} ms apart. Are they the same utterance, and was neither cut?"
            )
        length = min(noisy.size, clean.size)
        noisy, clean = noisy[:length], clean[:length]
    if sample_rate is not None:
        noisy = _resampled(noisy, rate, sample_rate)
        clean = None if clean is None else _resampled(clean, rate, sample_rate)
    return PairAudio(noisy, clean, sample_rate or rate, trimmed)


def unequal_lengths(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs that `read_pair` would refuse for their lengths, by the headers of their files alone.

    Raises AudioFileError where a file is missing or unreadable.
    """
    return [pair for pair in pairs if pair.clean is not None and _far_apart(pair.noisy, pair.clean)]


def _far_apart(noisy: Path, clean: Path) -> bool:
    headers = audio_info(noisy), audio_info(clean)
    lengths = [header.samples for header in headers if header.samples is not None]
    return len(lengths) == 2 and abs(lengths[0] - lengths[1]) > TOLERANCE_SECONDS * headers[0].sample_rate


def _resampled(x: NDArray[np.float32], rate: int, sample_rate: int) -> NDArray[np.float32]:
    return np.asarray(resample(x, rate, sample_rate), dtype=np.float32)


def _mono(path: Path, name: str) -> tuple[NDArray[np.float32], int]:
    try:
        audio, rate = read_audio(path)
    except AudioFileError as error:
        raise DataError(f"the audio of {name} must be readable, but is not: {error}") from error
    if audio.shape[0] != 1:
        raise DataError(
            f"{path} must have one channel, but has {audio.shape[0]}. Write the one to be scored to a file."
        )
    if bad := int(audio.size - np.isfinite(audio).sum()):
        raise DataError(f"{path} must be finite, but {bad} of its {audio.size} samples are NaN or infinite.")
    return audio[0], rate
