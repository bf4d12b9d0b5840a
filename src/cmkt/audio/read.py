"""Audio files of any kind, whole or in blocks: what libsndfile reads, and the rest through the `ffmpeg` program.

Shapes: C channels, T samples, time last. Full scale is 1.0.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, final

import numpy as np
import soundfile

from cmkt.audio.ffmpeg import SUFFIXES as FFMPEG_SUFFIXES
from cmkt.audio.ffmpeg import FfmpegReader, find_ffmpeg
from cmkt.errors import AudioFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

FFMPEG = "FFMPEG"
"""The format of what libsndfile does not read, and so does not write either."""


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What the header of an audio file says.

    sample_rate in Hz; channels; samples for each channel; subtype and format as in libsndfile ("PCM_16", "WAV"). For
    what ffmpeg decodes, the format is "FFMPEG", the subtype is empty, and samples is an estimate, None where the
    container says nothing.
    """

    sample_rate: int
    channels: int
    samples: int | None
    subtype: str
    format: str


WHOLE_BLOCK_SAMPLES = 1 << 20
"""The block in which a whole file is read whose length is not known."""


class AudioReader(Protocol):
    """An open audio file."""

    @property
    def info(self) -> AudioInfo:
        """What its header says."""

    def blocks(self, block_samples: int) -> Iterator[NDArray[np.float32]]:
        """The file in blocks (C, n) float32 with n = block_samples, the last one with 1 <= n <= block_samples."""


@contextmanager
def open_audio(path: str | Path) -> Iterator[AudioReader]:
    """The open file, to be read once.

    Raises:
        AudioFileError: the file is missing or unreadable; when its blocks are read: it is empty, damaged, or ends
            before its header says.
    """
    path = Path(path)
    if not path.exists():
        raise AudioFileError(f"'{path}' must be an audio file, but does not exist.")
    if path.is_dir():
        raise AudioFileError(f"'{path}' must be an audio file, but is a folder.")
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.SoundFileError, TypeError, OSError) as error:
        with _decoded(path, AudioFileError(f"'{path}' cannot be read as audio: {error}")) as decoded:
            yield decoded
        return
    with file:
        yield _SndfileReader(path, file)


def audio_info(path: str | Path) -> AudioInfo:
    """The header of an audio file.

    Raises:
        AudioFileError: the file is missing, or neither libsndfile nor ffmpeg reads it.
    """
    with open_audio(path) as file:
        return file.info


def read_audio(path: str | Path) -> tuple[NDArray[np.float32], int]:
    """`(audio, sample_rate)` of a whole file: audio is (C, T) float32, the rate is in Hz.

    The samples are as in the file; a float file can hold NaN: see `cmkt.audio.check.check_array`.

    Raises:
        AudioFileError: the file is missing, unreadable, empty, or ends before its header says.
    """
    with open_audio(path) as file:
        blocks = list(file.blocks(max(file.info.samples or 0, WHOLE_BLOCK_SAMPLES)))
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1), file.info.sample_rate


def read_blocks(path: str | Path, block_samples: int) -> Iterator[NDArray[np.float32]]:
    """The file in blocks (C, n) float32 with n = block_samples, the last one with 1 <= n <= block_samples.

    Raises:
        AudioFileError: as `read_audio`, at the block where it is noticed.
    """
    if block_samples < 1:
        raise AudioFileError(f"`block_samples` must be at least 1, but is {block_samples} instead.")
    with open_audio(path) as file:
        yield from file.blocks(block_samples)


@final
class _SndfileReader:
    """What libsndfile reads."""

    def __init__(self, path: Path, file: soundfile.SoundFile) -> None:
        self._path = path
        self._file = file

    @property
    def info(self) -> AudioInfo:
        file = self._file
        return AudioInfo(file.samplerate, file.channels, file.frames, file.subtype, file.format)

    def blocks(self, block_samples: int) -> Iterator[NDArray[np.float32]]:
        given = 0
        while True:
            block = self._read(block_samples)
            if block.shape[0] == 0:
                break
            given += block.shape[0]
            yield np.ascontiguousarray(block.T)
        _check_complete(self._path, self._file, given)

    def _read(self, samples: int) -> NDArray[np.float32]:
        try:
            block: NDArray[np.float32] = self._file.read(samples, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, OSError) as error:
            raise AudioFileError(f"'{self._path}' cannot be read as audio: {error}") from error
        return block


@final
class _FfmpegAudio:
    """What ffmpeg decodes."""

    def __init__(self, reader: FfmpegReader) -> None:
        self._reader = reader

    @property
    def info(self) -> AudioInfo:
        reader = self._reader
        return AudioInfo(reader.sample_rate, reader.channels, reader.samples, "", FFMPEG)

    def blocks(self, block_samples: int) -> Iterator[NDArray[np.float32]]:
        return self._reader.blocks(block_samples)


@contextmanager
def _decoded(path: Path, refusal: AudioFileError) -> Iterator[AudioReader]:
    """What libsndfile refused, by ffmpeg; a suffix that is libsndfile's own leaves the word to its refusal."""
    expected = path.suffix.lower() in FFMPEG_SUFFIXES
    if not expected and find_ffmpeg() is None:
        raise refusal
    with ExitStack() as stack:
        try:
            reader = stack.enter_context(FfmpegReader(path))
        except AudioFileError as error:
            raise (error if expected else refusal) from error
        yield _FfmpegAudio(reader)


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
