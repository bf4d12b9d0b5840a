"""Audio files of any kind that libsndfile reads, whole or in blocks.

Shapes: C channels, T samples, time last. Full scale is 1.0.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from cmkt.errors import AudioFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What the header of an audio file says.

    sample_rate in Hz; channels; samples for each channel; subtype and format as in libsndfile ("PCM_16", "WAV").
    """

    sample_rate: int
    channels: int
    samples: int
    subtype: str
    format: str


def audio_info(path: str | Path) -> AudioInfo:
    """The header of an audio file.

    Raises:
        AudioFileError: the file is missing, or libsndfile does not know it.
    """
    with _opened(Path(path)) as file:
        return AudioInfo(file.samplerate, file.channels, file.frames, file.subtype, file.format)


def read_audio(path: str | Path) -> tuple[NDArray[np.float32], int]:
    """`(audio, sample_rate)` of a whole file: audio is (C, T) float32, the rate is in Hz.

    The samples are as in the file; a float file can hold NaN: see `cmkt.audio.check.check_array`.

    Raises:
        AudioFileError: the file is missing, unreadable, empty, or ends before its header says.
    """
    path = Path(path)
    with _opened(path) as file:
        audio: NDArray[np.float32] = file.read(dtype="float32", always_2d=True)
        _check_complete(path, file, audio.shape[0])
        return np.ascontiguousarray(audio.T), file.samplerate


def read_blocks(path: str | Path, block_samples: int) -> Iterator[NDArray[np.float32]]:
    """The file in blocks (C, n) float32 with n = block_samples, the last one with 1 <= n <= block_samples.

    Raises:
        AudioFileError: as `read_audio`, at the block where it is noticed.
    """
    if block_samples < 1:
        raise AudioFileError(f"`block_samples` must be at least 1, but is {block_samples} instead.")
    path = Path(path)
    with _opened(path) as file:
        given = 0
        while True:
            block: NDArray[np.float32] = file.read(block_samples, dtype="float32", always_2d=True)
            if block.shape[0] == 0:
                break
            given += block.shape[0]
            yield np.ascontiguousarray(block.T)
        _check_complete(path, file, given)


@contextmanager
def _opened(path: Path) -> Iterator[soundfile.SoundFile]:
    """The open file; whatever libsndfile says while it is open becomes an AudioFileError."""
    if not path.exists():
        raise AudioFileError(f"'{path}' must be an audio file, but does not exist.")
    if path.is_dir():
        raise AudioFileError(f"'{path}' must be an audio file, but is a folder.")
    try:
        with soundfile.SoundFile(path) as file:
            yield file
    except (soundfile.SoundFileError, TypeError, OSError) as error:
        if isinstance(error, AudioFileError):
            raise
        raise AudioFileError(f"'{path}' cannot be read as audio: {error}") from error


def _check_complete(path: Path, file: soundfile.SoundFile, given: int) -> None:
    """The header of an MP3 file may only estimate its length, so there a difference is a warning."""
    if given == 0:
        raise AudioFileError(f"'{path}' must hold audio, but has no samples.")
    if given >= file.frames:
        return
    message = f"'{path}' must hold {file.frames} samples as its header says, but ends after {given}."
    if file.format == "MP3":
        logger.warning(message)
    else:
        raise AudioFileError(f"{message} It is damaged or was not copied completely.")
